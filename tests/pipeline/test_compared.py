"""A real build beside an experiment that DVC saved and the working tree."""

import json

import pytest

from tests.conftest import Project
from tests.pipeline.test_trace_built import commit


@pytest.mark.slow
def test_a_build_stands_beside_an_experiment_of_dvc_and_the_working_tree(project: Project) -> None:
    commit(project)
    code, output = project.run("dvc", "exp", "save", "-n", "saved")
    assert code == 0, output
    code, output = project.run("python", "-m", "stages.commands.cli", "compare", "HEAD", "saved", "workspace", "--json")
    assert code == 0, output

    found = json.loads(output)
    assert [(build["name"], build["missing"]) for build in found["builds"]] == [
        ("HEAD", []),
        ("saved", []),
        ("workspace", []),
    ]
    recorded = project.json("reports/comparison.json")["chat"]["dpo"]["exact_match"]
    first, *others = found["scores"]["chat"]["exact_match"]["dpo"]
    assert first == recorded
    assert all(of_build == recorded | {"from_first": {"same": True}} for of_build in others)
    assert found["parameters"] == found["inputs"] == {}
