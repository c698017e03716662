"""Builds side by side: what each has by its own record, what differs row by row, and what is not there is told."""

import argparse
import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from modelmake.errors import UserError
from stages.commands import compare
from tests.conftest import ROOT
from tests.made_up_build import gate as judged
from tests.made_up_comparison import Releases, json_bytes, releases


@pytest.fixture
def made(tmp_path: Path) -> Releases:
    return releases(tmp_path / "project")


def run(made: Releases, *words: str) -> str:
    """The output of `modelmake compare`."""
    parser = argparse.ArgumentParser()
    compare.arguments(parser)
    output = io.StringIO()
    with contextlib.chdir(made.root), contextlib.redirect_stdout(output):
        assert compare.run(parser.parse_args(words, argparse.Namespace(here=made.root))) == 0
    return output.getvalue()


def facts(made: Releases, *names: str) -> dict[str, Any]:
    return json.loads(run(made, *names, "--json"))


def test_releases_and_an_experiment_have_a_column_each_with_their_own_verdict(made: Releases) -> None:
    found = facts(made, "v1", "v2", "r8")["builds"]

    assert [(build["name"], build["verdict"], build["model"]) for build in found] == [
        ("v1", "ALLOW", "sft"),
        ("v2", "REJECT", "sft"),
        ("r8", "ALLOW", "sft"),
    ]
    assert all(build["date"] == "2023-11-14" and build["missing"] == [] for build in found)
    assert found[0]["commit"] == made.project.git("rev-parse", "v1")


def test_nothing_is_checked_out(made: Releases) -> None:
    def there() -> dict[str, bytes]:
        return {f"{p}": p.read_bytes() for p in made.root.rglob("*") if p.is_file() and ".git/" not in f"{p}"}

    before = there()
    facts(made, "v1", "v2")
    run(made, "v1", "r8")

    assert there() == before
    assert made.project.git("status", "--porcelain") == ""


def test_scores_differ_row_by_row_with_an_interval(made: Releases) -> None:
    base, (first, second, third) = (
        facts(made, "v1", "v2", "r8")["scores"]["chat"]["exact_match"][model] for model in ("base", "sft")
    )

    assert first["value"] == 0.8 and "from_first" not in first
    assert first["difference"] == 0.8, "from the baseline, as reports/comparison.json has it"
    assert second["from_first"] | {"low": 0, "high": 0} == {
        "by": -0.05, "low": 0, "high": 0, "rows": 20, "only_first": 0, "only_this": 0,
    }  # fmt: skip
    assert second["from_first"]["low"] < -0.05 < 0 < second["from_first"]["high"]
    assert third["from_first"]["by"] == 0.15 and third["from_first"]["low"] > 0
    assert base[1]["from_first"] == {"same": True}, "the same file of answers"


def test_suites_with_other_rows_are_compared_on_those_that_both_have(made: Releases) -> None:
    made.rows = frozenset(range(4, 22))
    made.release("v3")
    difference = facts(made, "v1", "v3")["scores"]["chat"]["exact_match"]["sft"][1]["from_first"]

    assert {name: difference[name] for name in ("rows", "only_first", "only_this")} == {
        "rows": 16, "only_first": 4, "only_this": 2,
    }  # fmt: skip
    assert "differences are of 16 rows; 4 rows of the first and 2 rows of another" in " ".join(
        run(made, "v1", "v3").split()
    )


def test_answers_that_were_lost_and_won_are_counted_and_shown(made: Releases) -> None:
    found = facts(made, "v1", "v2", "r8")

    assert found["answers"] == {
        "suite": "chat", "metric": "exact_match", "left_out": [], "rows": 20,
        "counts": {"v2": {"lost": 2, "won": 1, "reworded": 0}, "r8": {"lost": 0, "won": 3, "reworded": 0}},
    }  # fmt: skip
    assert [(change["prompt"], change["lost"], change["won"]) for change in found["changed"]] == [
        ("Where is parcel 3?", ["v2"], []),
        ("Where is parcel 5?", ["v2"], []),
        ("Where is parcel 16?", [], ["r8"]),
        ("Where is parcel 17?", [], ["r8"]),
        ("Where is parcel 18?", [], ["v2", "r8"]),
    ]
    assert found["changed"][0]["answers"]["v2"] == {"answer": '{"intent":"warranty"}', "right": False}


def test_what_changed_is_named_parameters_data_code_and_packages(made: Releases) -> None:
    found = facts(made, "v1", "v2", "r8")

    assert found["parameters"] == {
        "train.sft.learning_rate": [{"value": 0.002}, {"value": 0.004}, {"value": 0.004}],
        "train.sft.warmup_steps": [None, {"value": 10}, {"value": 10}],
    }
    raw = found["inputs"]["data/raw"]
    assert list(found["inputs"]) == ["data/raw"] and raw[0] != raw[1] == raw[2]
    assert [of_build["phrases"] for of_build in found["code"]] == [
        [], *[["package torch 2.12.0 -> 2.13.0", "stages.train.main"]] * 2,
    ]  # fmt: skip
    assert found["rows"]["ingest"][1] == {"in": 5400, "out": 5300, "dropped": {"repeated": 100}}
    assert found["rows"]["test rows"] == [{"out": 20}] * 3


def test_runs_and_quantized_files_stand_side_by_side(made: Releases) -> None:
    found = facts(made, "v1", "v2")

    assert found["training"] == {"sft": [
        {"steps": 20, "rows": 4000, "loss": 0.5, "eval_loss": 0.75, "same": True},
        {"steps": 20, "rows": 4000, "loss": 0.4, "eval_loss": 0.9, "same": False},
    ]}  # fmt: skip
    assert found["files"]["Q8_0"][0] == {
        "bytes": 1, "verdict": "pass", "same_answers": 0.95, "metric": "exact_match", "model": 0.8, "file": 0.8,
    }  # fmt: skip
    models = found["models"]
    assert list(models) == ["models/sft", "models/quantized/Q8_0"]
    assert models["models/sft"][0]["md5"] != models["models/sft"][1]["md5"]


def test_alternatives_and_slices_stand_side_by_side(made: Releases) -> None:
    found = facts(made, "v1", "v2")

    assert found["alternatives"]["sft"]["sft"][1] == {
        "metric": "exact_match", "value": 0.75, "currency": "EUR", "per_1000": 0.108,
    }  # fmt: skip
    assert found["alternatives"]["sft"]["shots"][0] == {
        "metric": "exact_match", "value": 0.79, "currency": "EUR", "per_1000": None, "verdict": "would have done",
        "gain": -0.01, "low": -0.018, "high": -0.002,
    }  # fmt: skip
    assert [part["score"] for part in found["slices"]["last"]["label refund"]] == [0.8, 0.75]
    text = " ".join(run(made, "v1", "v2").split())
    assert "exact_match 0.790; −0.010 (−0.018 to −0.002); cost unknown" in text
    assert "0.800 (0.400 to 0.900), 12 rows" in text


def test_a_report_that_neither_git_nor_the_cache_has_is_told_and_never_guessed(made: Releases) -> None:
    [first, second] = facts(made, "v1", "v2")["builds"]
    gone = ["reports/comparison.json", "reports/evaluate/sft-chat.jsonl", "reports/train/sft.json"]
    for path in gone:
        made.forget("v1", path)

    found = facts(made, "v1", "v2")
    assert (first["missing"], second["missing"]) == ([], [])
    assert found["builds"][0]["missing"] == gone
    assert found["builds"][1]["missing"] == []
    scores = found["scores"]["chat"]["exact_match"]["sft"]
    assert scores[0] == {"value": 0.8}, "git has reports/metrics.json, without an interval"
    assert scores[1]["from_first"] == {"unknown": "no answers of v1 here"}
    assert found["training"]["sft"][0] is None
    assert (found["answers"]["left_out"], found["answers"]["counts"], found["changed"]) == (["v1"], {}, [])
    text = run(made, "v1", "v2")
    assert (
        "v1: reports/comparison.json, reports/evaluate/sft-chat.jsonl, reports/train/sft.json: neither in git" in text
    )
    assert "0.800 (no interval here)" in text


def test_a_file_that_was_edited_after_the_build_is_none_of_it(made: Releases) -> None:
    made.put("reports/gate.json", json_bytes({"verdict": "ALLOW", "suites": {}, "gates": {"mine": judged()}}))
    made.project.git("commit", "-qam", "by hand")
    [build] = [b for b in facts(made, "v1", "HEAD")["builds"] if b["name"] == "HEAD"]
    assert build["verdict"] == "REJECT", "the cache has the one that dvc.lock records"

    made.forget("HEAD", "reports/gate.json")
    [build] = [b for b in facts(made, "v1", "HEAD")["builds"] if b["name"] == "HEAD"]
    assert (build["verdict"], build["missing"]) == (None, ["reports/gate.json"])


def test_the_working_tree_is_the_second_where_one_is_named(made: Releases) -> None:
    made.verdict = "INCONCLUSIVE"
    made.write()

    assert [(b["name"], b["commit"], b["verdict"]) for b in facts(made, "v2")["builds"]][1] == (
        "workspace", "", "INCONCLUSIVE",
    )  # fmt: skip


def test_a_stage_that_the_graph_has_no_longer_is_no_part_of_a_build(made: Releases) -> None:
    made.stage("train@dpo", "--log reports/train/dpo.json", {"reports/train/dpo.json": json_bytes({"history": []})},
               params={"train": {"dpo": {"beta": 0.1}}})  # fmt: skip
    made.release("v3")
    graph = [name for name in made.project.stages if name != "train@dpo"]
    made.put("keys/graph.json", json_bytes({name: {} for name in graph}))
    made.release("v4")
    found = facts(made, "v3", "v4", "workspace")

    assert found["training"]["dpo"][0] and found["training"]["dpo"][1:] == [None, None]
    assert found["parameters"] == {"train.dpo.beta": [{"value": 0.1}, None, None]}


def test_a_commit_that_no_branch_has_has_its_date_and_the_looks_until_then(made: Releases) -> None:
    commit = made.project.git("rev-parse", "HEAD")
    made.project.git("checkout", "-q", "--detach")
    made.verdict = "INCONCLUSIVE"
    made.write()
    lost = made.project.commit("nobody's")
    made.project.git("checkout", "-q", "main")
    build = facts(made, commit, lost)["builds"][1]

    assert (build["date"], build["verdict"]) == ("2023-11-14", "INCONCLUSIVE")


def test_every_stale_stage_whose_report_is_shown_is_named(made: Releases) -> None:
    made.write()
    stages = {
        "ingest": {"cmd": "python -m stages.ingest --raw data/raw --report reports/data/ingest.json",
                   "deps": ["data/raw"], "outs": ["reports/data/ingest.json"]},
        "card": {"cmd": "python -m stages.card --card reports/card.md", "deps": ["data/raw"],
                 "outs": ["reports/card.md"]},
        "split": {"cmd": made.project.stages["split"]["cmd"], "outs": ["reports/data/split.json"]},
    }  # fmt: skip
    (made.root / "dvc.yaml").write_text(json.dumps({"stages": stages}))
    made.put("data/raw", b"other rows")
    [build] = [b for b in facts(made, "v2")["builds"] if b["name"] == "workspace"]

    assert build["stale"] == "ingest: these reports are of another build; run `dvc repro`"


def test_tasks_of_others_are_suites(made: Releases) -> None:
    made.params["evaluate.tasks.arc.num_fewshot"] = 5
    made.release("v3")
    [revision] = compare.read(made.root, ["v3"])
    build = compare.Build(made.root, revision)

    assert build.suites == ["chat", "arc"]


def test_a_spent_error_budget_allows_nothing(made: Releases) -> None:
    content = json.loads((made.root / "reports/gate.json").read_bytes())
    for n in range(25):
        content["suites"]["chat"]["answers"] = f"look {n}"
        made.put("reports/gate.json", json_bytes(content))
        made.project.git("commit", "-qam", f"look {n}")
    made.write()

    found = facts(made, "v1", "workspace")
    assert [build["verdict"] for build in found["builds"]] == ["ALLOW", "INCONCLUSIVE"]
    assert "the error budget of chat is spent" in found["gates"]["sft_answers"][1]["why"]


def test_text_has_a_table_for_each_kind_of_facts(made: Releases) -> None:
    lines = run(made, "v1", "v2").splitlines()

    assert lines[0].startswith("v1: ") and lines[0].endswith(" of 2023-11-14, ALLOW")
    assert "v2: 2 answers lost, 1 won, 0 others reworded" in lines
    at = lines.index("Gates")
    assert [" ".join(line.split()) for line in lines[at + 1 : at + 3]] == ["v1 v2", "sft_answers ALLOW REJECT"]
    assert {"Scores on chat", "Last losses", "Quantized files", "Rows out of each stage", "Parameters that differ"} <= {
        *lines
    }
    at = lines.index("Parameters that differ")
    assert lines[at + 2].split() == ["train.sft.learning_rate", "0.002", "0.004"]
    assert lines[at + 3].split() == ["train.sft.warmup_steps", "–", "10"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["v1", "v1"], "compare: v1 v1: want two to 5 different builds"),
        (["v1", "v2", "a", "b", "c", "d"], "compare: v1 v2 a b c d: want two to 5 different builds"),
        (["v1", "v8", "v9"], "v8: no such revision: want a commit, branch, tag or experiment; `git log` has them\n"
                             "v9: no such revision: want a commit, branch, tag or experiment; `git log` has them"),
    ],
)  # fmt: skip
def test_names_that_are_no_builds_are_refused_all_at_once(made: Releases, names: list[str], message: str) -> None:
    with pytest.raises(UserError) as error:
        run(made, *names)

    assert str(error.value) == message


def test_the_page_is_one_file_and_says_where_it_is(made: Releases) -> None:
    (made.root / "stages").symlink_to(ROOT / "stages")
    assert run(made, "v1", "v2", "--page", "out/side.html") == "compare: v1 beside v2: out/side.html\n"
    text = (made.root / "out/side.html").read_text("utf-8")

    assert "<title>v1 beside v2</title>" in text and "default-src &#39;none&#39;" in text
    assert [path.name for path in (made.root / "out").iterdir()] == ["side.html"]
