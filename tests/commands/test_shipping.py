"""The gates of a commit let a model ship or not, whatever the working tree holds."""

import json
from typing import Any

import pytest

from stages.commands import shipping
from tests.commands.test_gate import PATH, build, project
from tests.made_up_build import gate as shown
from tests.made_up_history import MadeUpProject

__all__ = ["project"]


PARITY = "reports/parity/Q8_0.json"
GGUF = "models/quantized/Q8_0"


def refusals(
    project: MadeUpProject, commit: str = "HEAD", weights: str = "models/sft", files: tuple[str, ...] = (PATH,)
) -> list[str]:
    reasons, decided = shipping.refusals(project.root, commit, weights)
    assert decided == [*files]
    return reasons


def quantized(project: MadeUpProject, verdict: str = "pass", why: str = "") -> None:
    project.stage("quantize@Q8_0", {}, {GGUF: {"m.gguf": b"g"}}, {"quantize": {"Q8_0": {"from": "sft"}}})
    report = json.dumps({"verdict": verdict, "why": [why] if why else []}).encode()
    project.stage("parity@Q8_0", {}, {PARITY: report})


def with_model(project: MadeUpProject, model: str = "sft", **changes: Any) -> None:
    build(project, model=model, **changes)


def test_gates_that_allow_let_the_model_ship_that_they_look_at(project: MadeUpProject) -> None:
    with_model(project)
    assert refusals(project) == []
    assert refusals(project, weights="models/dpo") == ["none looks at dpo, which ships: add one to compare.gates"]
    assert shipping.figures(project.root, "HEAD") == {"mine": shown()["value"]}


@pytest.mark.parametrize("verdict", ["REJECT", "INCONCLUSIVE"])
def test_every_other_verdict_is_a_reason(project: MadeUpProject, verdict: str) -> None:
    with_model(project)
    with_model(project, verdict=verdict, why="because")
    assert refusals(project) == [f"mine: {verdict}: because"]
    assert refusals(project, "HEAD~1") == []


def test_the_gates_of_the_commit_count_not_those_of_the_working_tree(project: MadeUpProject) -> None:
    with_model(project, verdict="REJECT", why="because")
    content = json.loads((project.root / PATH).read_text())
    content["gates"]["mine"]["verdict"] = "ALLOW"
    (project.root / PATH).write_text(json.dumps(content))
    assert refusals(project) == ["mine: REJECT: because"]


def test_a_quantized_file_ships_by_the_gates_of_its_model(project: MadeUpProject) -> None:
    quantized(project)
    with_model(project)
    assert refusals(project, weights=GGUF, files=(PATH, PARITY)) == []
    assert refusals(project, weights=f"{GGUF}/m.gguf", files=(PATH, PARITY)) == []


def test_a_quantized_file_that_lost_too_much_does_not_ship(project: MadeUpProject) -> None:
    quantized(project, "fail", "exact_match differs by 0.2000, at most 0.01 is allowed")
    with_model(project)
    lost = f"{PARITY}: fail: exact_match differs by 0.2000, at most 0.01 is allowed"
    assert refusals(project, weights=GGUF, files=(PATH, PARITY)) == [lost]
    assert refusals(project) == [], "its model does"

    with_model(project, verdict="REJECT", why="because")
    assert refusals(project, weights=GGUF, files=(PATH, PARITY)) == ["mine: REJECT: because", lost]


def test_a_quantized_file_whose_parity_nobody_knows_does_not_ship(project: MadeUpProject) -> None:
    quantized(project)
    with_model(project)
    report = project.cached(project.stages["parity@Q8_0"]["outs"][0]["md5"])
    unread = [f"{PARITY}: not in the cache and not on the remote: want to read it; run `dvc pull {PARITY}`"]
    report.write_text('{"verdict": "pass"}')
    assert refusals(project, weights=GGUF, files=(PATH, PARITY)) == unread, "of another file"
    report.unlink()
    assert refusals(project, weights=GGUF, files=(PATH, PARITY)) == unread

    del project.stages["parity@Q8_0"]
    with_model(project)
    assert refusals(project, weights=GGUF, files=(PATH, PARITY)) == [
        f"{PARITY}: not in dvc.lock: want the parity of what ships; run `dvc repro`"
    ]


@pytest.mark.parametrize("stage", ["combine", "adopt"])
def test_what_a_model_was_trained_on_top_of_does_not_speak_for_it(project: MadeUpProject, stage: str) -> None:
    project.stage(f"{stage}@both", {}, {"models/both": {"m": b"w"}}, {stage: {"both": {"from": "sft"}}})
    with_model(project)
    assert refusals(project, weights="models/both") == ["none looks at both, which ships: add one to compare.gates"]


def test_a_commit_without_gates_has_no_figures_and_a_reason(project: MadeUpProject) -> None:
    project.commit("no build")
    assert shipping.figures(project.root, "HEAD") == {}
    assert refusals(project) == ["no reports/gate.json there: want a commit of a build"]
