"""A package that is a folder outside of the project is a dependency of preflight, or its edits would change no key."""

from pathlib import Path

import pytest
import yaml

from modelmake.dvc.graph import Stage
from stages import preflight
from stages.params import judging_checks

ROOT = Path(__file__).parents[1]
LOCK = '[[package]]\nname = "ours"\nversion = "1"\nsource = {{ editable = "{}" }}\n'
OWN = ("uv.lock", "envs", "stages")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    for folder in ("project/envs/tool", "project/stages/ours", "ours", "theirs"):
        (tmp_path / folder).mkdir(parents=True)
    (root / "uv.lock").write_text(LOCK.format("../ours"))
    (root / "envs/tool/uv.lock").write_text(LOCK.format("../../../theirs"))
    monkeypatch.chdir(root)
    return root


def problems(*deps: str) -> list[str]:
    return preflight.folder_problems({"preflight": Stage("preflight", "python -m stages.preflight", deps, (), ())})


def test_a_folder_that_preflight_does_not_depend_on_is_told(project: Path) -> None:
    told = (
        "dvc.yaml: preflight: deps: found no {}: want it there, as {} has it as a package (ours): else DVC does not "
        "see its edits"
    )

    assert problems(*OWN) == [told.format("../ours", "uv.lock"), told.format("../theirs", "envs/tool/uv.lock")]
    assert problems(*OWN, "../ours") == [told.format("../theirs", "envs/tool/uv.lock")]
    assert problems(*OWN, "../ours", "../theirs") == []


def test_a_folder_within_one_that_preflight_depends_on_is_not_told(project: Path) -> None:
    (project / "uv.lock").write_text(LOCK.format("stages/ours"))
    (project / "envs/tool/uv.lock").write_text("")

    assert problems(*OWN) == []


def test_preflight_depends_on_all_that_keys_are_computed_from_and_on_what_it_holds_gates_against() -> None:
    deps = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]["preflight"]["deps"]

    of_keys = {"uv.lock", "pyproject.toml", ".python-version", "envs", "modelmake", "stages", "params.yaml"}
    assert {*deps} == {*of_keys, str(judging_checks.CALIBRATIONS)}
