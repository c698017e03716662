"""The plan of the real graph agrees with the `dvc repro` after it. Each edit is made to the build of the last one."""

import json
import os
import re
import resource
import shutil
from collections.abc import Callable
from typing import NamedTuple

import pytest

from benchmarks.edits import data
from benchmarks.edits.edit import both, params, replace, upgrade
from benchmarks.edits.parameters import one_quant_more
from modelmake import identity
from modelmake.dvc import reproduction
from modelmake.planning.forecast import Status
from modelmake.planning.plan import Step
from tests.conftest import Project
from tests.made_up_graph import wrong_forecasts


class Edit(NamedTuple):
    name: str
    change: Callable[[Project], None]
    expected: dict[str, str]  # {stage: its status, or a part of one of its reasons}


def touch(*paths: str) -> Callable[[Project], None]:
    return lambda project: [os.utime(project.path / path) for path in paths] and None


def delete(path: str) -> Callable[[Project], None]:
    def change(project: Project) -> None:
        target = project.path / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    return change


def lose(stage: str) -> Callable[[Project], None]:
    """Deletes the cache's object of the first out of a stage that is a file."""

    def change(project: Project) -> None:
        lock = project.read("dvc.lock").partition(f"\n  {stage}:\n")[2].partition("    outs:\n")[2]
        md5 = next(
            line.split()[1] for line in lock.splitlines() if line.startswith("      md5: ") and ".dir" not in line
        )
        (project.path / f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}").unlink()

    return change


def no_second_quant(project: Project) -> None:
    text = project.read("params.yaml")
    project.write("params.yaml", re.sub(r"^  F16:.*\n(?:    .*\n)*", "", text, flags=re.MULTILINE))
    for left in ("reports/parity/F16.json", "reports/parity/F16.jsonl", "models/quantized/F16"):
        delete(left)(project)


FRESH, RESTORE, CHECKOUT, WILL_RUN = Status.FRESH, Status.RESTORE, Status.CHECKOUT, Status.WILL_RUN
SEED = "weight_decay: 0.05\n  seed: "  # of the base
RATE = "learning_rate: "
CHEAP = [
    Edit(
        "a comment, the order of rows, files that were touched",
        both(
            replace("stages/clean.py", "class Cleaned(", "# a remark\nclass Cleaned("),
            data.EDITS["the order of rows"].change,
            touch("data/splits/train/chat.jsonl", "models/dpo/model.safetensors"),
        ),
        {
            "preflight": "file stages/clean.py", "ingest": "file data/raw/messages.jsonl", "report": WILL_RUN,
            "train@sft": "waits for base, mix",
        },
    ),
    Edit(
        "the order of rows put back",
        data.EDITS["the order of rows"].change,
        {"ingest": RESTORE, "report": RESTORE, "clean": FRESH},
    ),
    Edit(
        "a gate's bound, and outputs that are gone or edited",
        both(
            params("against: null, bound: 0.8", "against: null, bound: 0.7"),
            delete("data/cleaned"),
            delete("models/sft"),
            lambda project: delete("reports/card.md")(project) or project.write("reports/card.md", "edited"),
        ),
        {
            "compare": "parameter compare.gates.sft_answers.bound 0.8 -> 0.7",
            "clean": CHECKOUT, "merge@sft": CHECKOUT, "card": WILL_RUN, "train@dpo": FRESH,
        },
    ),
    Edit(
        "the bound put back, a template, and an object that the cache lost",
        both(
            params("against: null, bound: 0.7", "against: null, bound: 0.8"),
            replace("stages/reporting/templates/card.md", "## Limits", "## What it is not for"),
            lose("report"),
        ),
        {"compare": "parameter compare.gates", "card": "card.md", "report": "not in the cache"},
    ),
]  # fmt: skip
DEAR = [
    Edit(
        "a duplicate of a raw row",
        data.EDITS["a duplicate of a raw row"].change,
        {"ingest": WILL_RUN, "report": WILL_RUN},
    ),
    Edit("the version of a package", upgrade("numba"), {"dedup": "package numba", "split": WILL_RUN}),
    Edit(
        "a helper two imports away",
        replace("stages/similarity/shingles.py", "text.lower()", "text.casefold()"),
        {"dedup": "stages.similarity.shingles", "split": "stages.similarity.shingles", "clean": FRESH},
    ),
    Edit("one quant more", one_quant_more, {"quantize@F16": "not in dvc.lock", "calibrate@F16": "not in dvc.lock"}),
    Edit("one quant less", no_second_quant, {"calibrate@Q8_0": FRESH, "quantize@Q8_0": FRESH}),
    Edit("a raw row", data.EDITS["a raw row"].change, {"ingest": "file data/raw/chats.jsonl"}),
    Edit(
        "a learning rate of dpo and the base's seed",
        both(params(f"{RATE}0.003", f"{RATE}0.03"), params(f"{SEED}42", f"{SEED}43")),
        {"train@dpo": "parameter train.dpo.learning_rate 0.003 -> 0.03", "base": "parameter base.seed 42 -> 43"},
    ),
    Edit(
        "both put back",
        both(params(f"{RATE}0.03", f"{RATE}0.003"), params(f"{SEED}43", f"{SEED}42")),
        dict.fromkeys(("base", "train@sft", "merge@dpo", "evaluate@dpo-chat", "quantize@Q8_0"), RESTORE),
    ),
    Edit("a file that the cache lost", lose("evaluate@base-chat"), {"evaluate@base-chat": "not in the cache"}),
    Edit(
        "a method that one step uses",
        replace("stages/training/methods/dpo.py", "beta=params.beta", "beta=0 + params.beta"),
        {"train@dpo": "stages.training.methods.dpo", "train@sft": FRESH},
    ),
]  # fmt: skip


def plan(project: Project) -> list[Step]:
    exit_code, output = project.run("python", "-m", "stages.commands.cli", "plan", "--json")
    assert exit_code == 0, output
    return [Step(**step) for step in json.loads(output)["stages"]]


def runs(project: Project) -> list[dict]:
    """The run log."""
    return [json.loads(line) for line in project.read(".dvc/cache/modelmake/runs.jsonl").splitlines()]


def plan_and_build(project: Project, edits: list[Edit]) -> None:
    """Makes each edit of the last build, plans it and builds it; compares the two."""
    for edit in edits:
        for command in (
            ["add", "-A"],
            ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "Built", "--allow-empty"],
        ):
            assert project.run("git", *command)[0] == 0
        edit.change(project)
        steps = plan(project)
        facts = {step.stage: [step.status, *step.reasons] for step in steps}
        for stage, text in edit.expected.items():
            assert any(text in fact for fact in facts[stage]), f"{edit.name}: {stage}: {facts[stage]}"
        before = len(runs(project))
        assert wrong_forecasts(steps, project.repro()) == [], f"{edit.name}: {facts}"
        outcomes = {run["stage"]: run["outcome"] for run in runs(project)[before:]}
        for step in steps:
            if step.status in (WILL_RUN, RESTORE) and step.stage in outcomes:
                expected = "done" if step.status == WILL_RUN else "taken"
                assert outcomes[step.stage] == expected, f"{edit.name}: {step.stage}: {facts[step.stage]}"


def test_the_identity_of_a_record_is_that_of_its_run(built: Project) -> None:
    recorded = {run["stage"]: run["identity"] for run in runs(built)}

    with reproduction.reading(built.path) as records:
        inputs = {name: {path: records.files(path) for path in records.nodes[name].deps} for name in recorded}
        assert {name: identity.of_lock(records.entry(name, inputs[name])) for name in recorded} == recorded


def test_dvc_does_what_was_planned_after_cheap_edits(project: Project) -> None:
    plan_and_build(project, CHEAP)


@pytest.mark.slow
def test_dvc_does_what_was_planned_after_dear_edits(project: Project) -> None:
    plan_and_build(project, DEAR)
    assert {step.status for step in plan(project)} == {FRESH}


@pytest.mark.slow
def test_a_plan_of_a_fresh_build_takes_a_second_and_a_half(project: Project) -> None:
    """Of CPU time, the least of five: the machine does other work too."""
    seconds = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert {step.status for step in plan(project)} == {FRESH}
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)

    assert min(seconds) < 1.5, seconds
