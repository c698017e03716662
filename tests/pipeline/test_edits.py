"""Edit one thing and `dvc repro`: exactly the stale stages rerun.

The edits are those of benchmarks/edits/ with `suite=True`: some of every kind. benchmarks/staleness.py makes them all.
"""

from pathlib import Path

import pytest

from benchmarks import staleness
from benchmarks.edits import KINDS
from benchmarks.staleness_tools import COMMANDS, Build
from tests.conftest import Project, ran

EDITS = [(kind, name) for kind, table in KINDS.items() for name, edit in table.items() if edit.suite]
WITHOUT_EFFECT = [(kind, name) for kind, name in EDITS if not KINDS[kind][name].must and not KINDS[kind][name].before]


@pytest.mark.parametrize(("kind", "name"), [edit for edit in EDITS if edit not in WITHOUT_EFFECT])
def test_an_edit_reruns_what_it_reaches_and_nothing_else(
    project: Project, tmp_path: Path, kind: str, name: str
) -> None:
    edit, build = KINDS[kind][name], Build(project, "modelmake", tmp_path)
    must, may = set(edit.must), set(edit.may)

    assert staleness.make_edit(build, kind, name) == ""
    assert build.build(COMMANDS["modelmake"]) == ""

    stages = staleness.ran_after(build, edit)
    assert stages >= must, f"missed: {sorted(must - stages)}"
    assert stages <= must | may, f"needless: {sorted(stages - must - may)}"


def test_edits_without_effect_rerun_nothing(project: Project) -> None:
    assert len(WITHOUT_EFFECT) >= 3
    for kind, name in WITHOUT_EFFECT:
        KINDS[kind][name].change(project)

    assert set(ran(project.repro())) <= {"preflight"}


def test_nothing_edited_reruns_nothing(project: Project) -> None:
    output = project.repro()

    assert ran(output) == []
    assert "Data and pipelines are up to date." in output


def test_an_item_that_left_something_behind_is_named(project: Project) -> None:
    project.edit("params.yaml", "  Q8_0:", "  F16:")

    code, output = project.run("dvc", "repro")

    assert code != 0
    assert (
        "reports/parity: Q8_0.json, Q8_0.jsonl: left by items that params.yaml no longer declares: want only F16; "
        "`rm reports/parity/Q8_0.json reports/parity/Q8_0.jsonl`"
    ) in output
