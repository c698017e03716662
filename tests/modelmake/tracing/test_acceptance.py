"""Built here, accepted by `dvc commit`, or not known: the run log decides."""

import json
from typing import Any

from modelmake import identity
from tests.made_up_history import MadeUpProject
from tests.modelmake.tracing.kettle_build import build

STARTED = "2026-01-02T03:04:05Z"


def record(project: MadeUpProject, *stages: str) -> None:
    """Adds a finished run of each stage to the run log, as the harness does."""
    log = project.root / ".dvc/cache/modelmake/runs.jsonl"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        for name in stages:
            entry = project.stages[name]
            run = {
                "stage": name, "identity": identity.of_lock(entry), "outcome": "done", "seconds": 3.5,
                "started": STARTED, "outs": {out["path"]: out["md5"] for out in entry["outs"]},
            }  # fmt: skip
            file.write(json.dumps(run) + "\n")


def messages(report: dict[str, Any]) -> dict[str, str]:
    return {stage["stage"]: stage["run"]["message"] for stage in report["stages"]}


def test_a_build_is_told_from_a_change_that_was_accepted(project: MadeUpProject) -> None:
    record(project, "train@sft", "merge@sft")
    project.stages["train@sft"]["params"]["params.yaml"]["train.sft"]["learning_rate"] = 0.5
    project.commit("dvc commit -f train@sft")

    runs = messages(project.json("models/sft"))

    assert runs["merge@sft"] == f"built here {STARTED} in 3.5 s"
    assert runs["train@sft"] == (
        f"accepted, not rebuilt: its bytes come from the run of {STARTED}, which had other inputs; "
        "changed since: train.sft.learning_rate 0.2 -> 0.5"
    )
    assert runs["split"] == "no record here"
    assert "accepted, not rebuilt" in project.trace("models/sft", "--graph")[1]


def test_outputs_that_were_changed_by_hand_and_accepted_are_named(project: MadeUpProject) -> None:
    record(project, "merge@sft")
    project.stages["merge@sft"]["outs"][0]["md5"] = project.store({"model.safetensors": b"by hand"})
    project.commit("By hand")

    assert messages(project.json("models/sft"))["merge@sft"] == (
        f"accepted, not rebuilt: the run of {STARTED} had these inputs and made another models/sft"
    )


def test_a_clone_without_records_says_so(project: MadeUpProject) -> None:
    assert set(messages(project.json("models/sft")).values()) == {"no record here"}


def test_a_build_that_no_run_here_explains_may_come_from_elsewhere(project: MadeUpProject) -> None:
    record(project, "train@sft")
    build(project, [["b"]], learning_rate=0.7)
    project.commit("Pulled")

    assert messages(project.json("models/sft"))["train@sft"] == (
        "no run here had these inputs: built on another machine, or accepted by dvc commit"
    )
