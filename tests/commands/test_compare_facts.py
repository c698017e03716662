"""Facts about builds of which one lacks something: a run, a comparison, what a metric means."""

from pathlib import Path

import pytest

from stages.commands import compare, compare_facts
from tests.made_up_comparison import Releases, json_bytes, releases
from tests.made_up_history import jsonl


@pytest.fixture
def made(tmp_path: Path) -> Releases:
    return releases(tmp_path / "project")


def test_a_curve_has_the_colour_of_its_build_where_the_first_lacks_the_run(made: Releases) -> None:
    for tag, loss in (("v3", 2.0), ("v4", 3.0)):
        history = [{"step": 10, "loss": loss}, {"step": 20, "loss": 1.0}]
        made.stage("train@dpo", "--log reports/train/dpo.json",
                   {"reports/train/dpo.json": json_bytes({"history": history})})  # fmt: skip
        made.release(tag)
    builds = [compare.Build(made.root, revision) for revision in compare.read(made.root, ["v1", "v3", "v4"])]
    curve = compare.curves(builds, compare_facts.training(builds))["dpo"]

    assert curve["layer"][0]["encoding"]["color"]["scale"] == {
        "domain": ["v3", "v4"], "range": ["var(--second)", "var(--third)"],
    }  # fmt: skip


def test_a_later_build_without_a_comparison_says_so(made: Releases) -> None:
    del made.project.stages["compare"]
    (made.root / "dvc.yaml").write_text("stages: {}\n")
    made.project.commit("no compare")
    first, other = (compare.Build(made.root, revision) for revision in compare.read(made.root, ["v1", "HEAD"]))

    assert compare.lay_out(made.root, [first, other])[0]["builds"][1]["verdict"] is None
    assert compare_facts._differences(first, other, "chat", "sft") == {"": {"unknown": "no comparison there"}}


def test_a_metric_that_is_not_declared_leaves_the_others(made: Releases) -> None:
    path = "reports/evaluate/sft-chat.judge"
    for tag, mark in (("v3", 1.0), ("v4", 0.0)):
        rows = jsonl(*({"id": f"{n:024x}", "scores": {"judged.tone": [mark, 1.0]}} for n in range(20)))
        made.stage("judge@sft-chat", f"--judged {path}.jsonl --scores {path}.json",
                   {f"{path}.jsonl": rows, f"{path}.json": json_bytes({"declared": {}, "tag": tag})})  # fmt: skip
        made.right = made.right ^ {1}
        made.release(tag)
    made.forget("v4", f"{path}.json")
    first, other = (compare.Build(made.root, revision) for revision in compare.read(made.root, ["v3", "v4"]))
    found = compare_facts._differences(first, other, "chat", "sft")

    assert found["judged.tone"] == {"unknown": "not declared"}
    assert found["exact_match"]["by"] == 0.05
