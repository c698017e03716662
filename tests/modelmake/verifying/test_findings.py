"""Bytes that changed behind DVC's back are found wherever they are, with the kind of damage."""

import pytest

from tests.conftest import Project
from tests.modelmake import small_build
from tests.modelmake.small_build import flip, put
from tests.modelmake.verifying.conftest import assert_unseen_by_dvc, mend, object_name, verify, wrong


def test_one_byte_in_each_of_workspace_cache_and_remote_is_found_and_mended(project: Project) -> None:
    cached, pushed = object_name(project, "parts/deep/tail.txt"), object_name(project, "model/config.json")
    flip(project.path / "parts/head.txt")
    flip(project.path / ".dvc/cache" / cached)
    flip(project.path.parent / "store" / pushed)
    assert_unseen_by_dvc(project)
    result = verify(project, "--remote")

    assert wrong(result) == {
        ("workspace", "parts/head.txt", "corrupt"),
        ("cache", f".dvc/cache/{cached}", "corrupt"),
        ("store", str(project.path.parent / "store" / pushed), "corrupt"),
    }
    assert [finding["of"] for finding in result["wrong"]] == [
        [], ["parts/deep/tail.txt"], ["model/config.json", "copied.json"],
    ]  # fmt: skip
    assert result["mend"] == ["rm -f parts/head.txt", "modelmake verify --remote store --replace", "dvc checkout parts"]
    mend(project, result)
    assert verify(project, "--remote")["wrong"] == []
    clone = small_build.fresh_clone(project, "clone")
    small_build.dvc(clone, "pull")
    assert verify(clone, "--remote")["wrong"] == []


def test_missing_unexpected_and_truncated_files_are_found_and_ignored_ones_are_not(project: Project) -> None:
    (project.path / "model/config.json").unlink()
    (project.path / "model/extra.bin").write_bytes(b"x")
    (project.path / "model/ignored.tmp").touch()
    weights = project.path / "model/m.safetensors"
    put(weights, weights.read_bytes()[:-1], weights.stat())
    (project.path / "results/whole.txt").unlink()
    result = verify(project)

    assert wrong(result) == {
        ("workspace", "model/config.json", "missing"), ("workspace", "model/extra.bin", "unexpected"),
        ("workspace", "model/m.safetensors", "truncated"), ("workspace", "results/whole.txt", "missing"),
    }  # fmt: skip
    mend(project, result)
    assert verify(project)["wrong"] == []


@pytest.mark.parametrize("mode", [0o644, 0o444])
def test_an_empty_object_left_by_a_killed_commit_or_push_is_found_and_replaced(project: Project, mode: int) -> None:
    cached = object_name(project, "parts/head.txt")
    for folder in (project.path / ".dvc/cache", project.path.parent / "store"):
        (folder / cached).unlink()
        (folder / cached).touch(mode)
    result = verify(project, "--remote")

    assert {(place, kind) for place, _, kind in wrong(result)} == {("cache", "empty"), ("store", "empty")}
    assert result["mend"] == ["modelmake verify --remote store --replace"]
    mend(project, result)
    assert verify(project, "--remote")["wrong"] == []
    assert (project.path / ".dvc/cache" / cached).stat().st_mode & 0o777 == 0o444


def test_an_edited_input_parameter_or_command_is_found_and_a_build_mends_it(project: Project) -> None:
    project.edit("raw.txt", "row 0", "row zero")
    project.edit("params.yaml", "lines: 5", "lines: 6")
    project.edit("dvc.yaml", "wc -c", "wc -l")
    result = verify(project)

    assert wrong(result) == {
        ("input", "raw.txt", "changed"), ("dvc.lock", "parts", "changed"), ("dvc.lock", "count", "changed"),
    }  # fmt: skip
    assert result["mend"] == ["dvc repro"]
    assert result["notes"] == ["raw.txt: looks edited; `git checkout HEAD -- raw.txt` restores it instead"]
    mend(project, result)
    assert verify(project)["wrong"] == []


def test_a_stage_that_was_never_built_is_found(project: Project) -> None:
    project.edit("dvc.yaml", "stages:\n", "stages:\n  later:\n    cmd: echo 1 > later\n    outs: [later]\n")
    result = verify(project)

    assert wrong(result) == {("dvc.lock", "later", "not built")}
    mend(project, result)
    assert verify(project)["wrong"] == []
