"""The gates of a commit let a model ship or not, whatever the working tree holds."""

import json
from typing import Any

import pytest

from stages.commands import shipping
from tests.commands.test_gate import PATH, build, project
from tests.made_up_build import gate as shown
from tests.made_up_history import MadeUpProject

__all__ = ["project"]


def refusals(project: MadeUpProject, commit: str = "HEAD", weights: str = "models/sft") -> list[str]:
    reasons, files = shipping.refusals(project.root, commit, weights)
    assert files == [PATH]
    return reasons


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
    project.stage(
        "quantize@Q8_0", {}, {"models/quantized/Q8_0": {"m.gguf": b"g"}}, {"quantize": {"Q8_0": {"from": "sft"}}}
    )
    with_model(project)
    assert refusals(project, weights="models/quantized/Q8_0") == []
    assert refusals(project, weights="models/quantized/Q8_0/m.gguf") == []


def test_a_commit_without_gates_has_no_figures_and_a_reason(project: MadeUpProject) -> None:
    project.commit("no build")
    assert shipping.figures(project.root, "HEAD") == {}
    assert refusals(project) == ["no reports/gate.json there: want a commit of a build"]
