"""Bytes that changed behind DVC's back are found wherever they are, and the printed commands mend them."""

import argparse
import contextlib
import io
import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

import modelmake.verifying.verify
from modelmake import artifacts
from modelmake.dvc import graph
from tests.conftest import Project
from tests.modelmake import small_build
from tests.modelmake.small_build import flip, put

MODELMAKE = (sys.executable, "-m", "stages.commands.cli")


@pytest.fixture
def project(small_project: Project) -> Project:
    return small_project


def verify(project: Project, *arguments: str) -> dict[str, Any]:
    """What `modelmake verify --json` prints; its exit code says whether anything is wrong."""
    parser = argparse.ArgumentParser()
    modelmake.verifying.verify.arguments(parser)
    with contextlib.chdir(project.path), contextlib.redirect_stdout(io.StringIO()) as printed:
        code = modelmake.verifying.verify.run(parser.parse_args(["--json", *arguments]))
    found = json.loads(printed.getvalue())
    assert code == bool(found["wrong"])
    return found


def wrong(found: dict) -> set[tuple[str, str, str]]:
    return {(finding["place"], finding["path"], finding["kind"]) for finding in found["wrong"]}


def mend(project: Project, found: dict) -> None:
    """Runs the commands as printed, each of which must succeed; then nothing is wrong any more."""
    for command in found["mend"]:
        code, output = project.run("bash", "-c", command.replace("modelmake ", f"{' '.join(MODELMAKE)} "))
        assert code == 0, f"{command}\n{output}"


def lie(project: Project) -> None:
    """DVC sees nothing of it."""
    assert graph.stale(project.path) == {}


def git(project: Project, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=project.path, check=True, capture_output=True, text=True).stdout


def name(project: Project, path: str) -> str:
    md5 = artifacts.measure(project.path / path).md5
    return f"files/md5/{md5[:2]}/{md5[2:]}"


def test_a_build_as_dvc_lock_says_has_nothing_wrong(project: Project) -> None:
    found = verify(project, "--remote")

    assert found["wrong"] == found["mend"] == found["notes"] == []
    read = found["read"]
    assert read["workspace"]["read"] == 8  # two of parts, whole.txt, count.json, two of model, copied.json, more.txt
    assert read["inputs"]["read"] == 3  # raw.txt, weights.py, and results/.gitignore, which lies in an input
    assert (
        read["store"]["read"] == 8
    )  # lists of two folders, four files in them, whole.txt, more.txt; copied.json is one of them
    assert read["cache"]["read"] == 9  # also count.json, for the run-cache
    lines = project.run(*MODELMAKE, "verify")[1].splitlines()
    assert lines[-2:] == ["remote: not looked at; `modelmake verify --remote` does", "proven: not rebuilt yet 5"]


def test_one_byte_in_workspace_cache_and_remote_is_each_found_and_mended(project: Project) -> None:
    cached, pushed = name(project, "parts/deep/tail.txt"), name(project, "model/config.json")
    flip(project.path / "parts/head.txt")
    flip(project.path / ".dvc/cache" / cached)
    flip(project.path.parent / "store" / pushed)
    lie(project)
    found = verify(project, "--remote")

    assert wrong(found) == {
        ("workspace", "parts/head.txt", "corrupt"),
        ("cache", f".dvc/cache/{cached}", "corrupt"),
        ("store", str(project.path.parent / "store" / pushed), "corrupt"),
    }
    assert [finding["of"] for finding in found["wrong"]] == [
        [], ["parts/deep/tail.txt"], ["model/config.json", "copied.json"],
    ]  # fmt: skip
    assert found["mend"] == ["rm -f parts/head.txt", "modelmake verify --remote store --replace", "dvc checkout parts"]
    mend(project, found)
    assert verify(project, "--remote")["wrong"] == []
    clone = small_build.fresh_clone(project, "clone")
    small_build.dvc(clone, "pull")
    assert verify(clone, "--remote")["wrong"] == []


def test_a_hard_linked_file_is_wrong_in_both_places_and_comes_from_the_remote(project: Project) -> None:
    linked, cached = project.path / "results/whole.txt", name(project, "results/whole.txt")
    assert linked.samefile(project.path / ".dvc/cache" / cached)
    flip(linked)
    lie(project)
    found = verify(project)

    assert wrong(found) == {
        ("workspace", "results/whole.txt", "corrupt"),
        ("cache", f".dvc/cache/{cached}", "corrupt"),
    }
    assert found["mend"] == [f"rm -f results/whole.txt .dvc/cache/{cached}", "dvc pull whole"]
    pushed = project.path.parent / "store" / cached
    flip(pushed)
    assert verify(project)["mend"][1:] == ["dvc repro -s -f whole"], "a folder is asked, to name the right command"
    flip(pushed)
    project.edit(".dvc/config", "url = ../../store", "url = s3://bucket/store")
    found_far = verify(project)
    assert found_far["mend"][1:] == ["dvc pull whole"], "a server is not, but"
    assert found_far["notes"] == [
        "what no remote has (`modelmake verify --remote` tells) must be built again: dvc repro -s -f whole"
    ]
    project.edit(".dvc/config", "url = s3://bucket/store", "url = ../../store")
    mend(project, found)
    assert verify(project, "--remote")["wrong"] == []


def test_what_is_wrong_everywhere_is_built_again_and_then_replaced_on_the_remote(project: Project) -> None:
    weights = project.path / "model/m.safetensors"
    pushed = project.path.parent / "store" / name(project, "model/m.safetensors")
    for path in (weights, project.path / ".dvc/cache" / name(project, "model/m.safetensors"), pushed):
        flip(path)
    lie(project)
    found = verify(project, "--remote")

    assert len(found["wrong"]) == 3
    assert found["mend"][1:] == ["dvc repro -s -f model", "modelmake verify --remote store --replace"]
    mend(project, found)
    assert verify(project, "--remote")["wrong"] == []
    assert "dvc.lock" not in git(project, "status", "--short"), "the same bytes were built"


def test_a_list_of_files_is_rehashed_too_and_put_right_from_the_workspace(project: Project) -> None:
    listed = artifacts.measure(project.path / "parts").md5
    for folder in (project.path / ".dvc/cache", project.path.parent / "store"):
        path = folder / f"files/md5/{listed[:2]}/{listed[2:]}"
        put(path, path.read_bytes().replace(b"head", b"hood"), path.stat())
    lie(project)
    found = verify(project, "--remote")

    assert {(place, kind) for place, _, kind in wrong(found)} == {("cache", "corrupt"), ("store", "corrupt")}
    assert {tuple(finding["of"]) for finding in found["wrong"]} == {("parts/",)}
    mend(project, found)
    assert verify(project, "--remote")["wrong"] == []


def test_a_folder_whose_list_is_lost_here_is_told_as_a_whole_and_fetched(project: Project) -> None:
    listed = artifacts.measure(project.path / "parts").md5
    flip(project.path / f".dvc/cache/files/md5/{listed[:2]}/{listed[2:]}")
    flip(project.path / "parts/head.txt")
    found = verify(project)

    assert ("workspace", "parts", "corrupt") in wrong(found)
    mend(project, found)
    assert verify(project, "--remote")["wrong"] == []


@pytest.mark.parametrize("mode", [0o644, 0o444])
def test_an_empty_object_that_a_killed_commit_or_push_left_is_named_and_replaced(project: Project, mode: int) -> None:
    cached = name(project, "parts/head.txt")
    for folder in (project.path / ".dvc/cache", project.path.parent / "store"):
        (folder / cached).unlink()
        (folder / cached).touch(mode)
    found = verify(project, "--remote")

    assert {(place, kind) for place, _, kind in wrong(found)} == {("cache", "empty"), ("store", "empty")}
    assert found["mend"] == ["modelmake verify --remote store --replace"]
    mend(project, found)
    assert verify(project, "--remote")["wrong"] == []
    assert (project.path / ".dvc/cache" / cached).stat().st_mode & 0o777 == 0o444


def test_a_push_writes_the_empty_object_of_a_killed_push_again(project: Project) -> None:
    """What docs/remotes.md says of DVC 3.67: files are pushed before the list of their folder, which is last."""
    store = project.path.parent / "store"
    pushed, listed = store / name(project, "parts/head.txt"), artifacts.measure(project.path / "parts").md5
    pushed.unlink()
    pushed.touch(0o644)
    (store / f"files/md5/{listed[:2]}/{listed[2:]}").unlink()
    small_build.dvc(project, "push")

    assert pushed.read_bytes() == (project.path / "parts/head.txt").read_bytes()


def test_an_empty_object_makes_dvc_checkout_and_repro_quietly_wrong_and_verify_tells(project: Project) -> None:
    """What DVC 3.67 does; a failure may be DVC's mending."""
    head, whole = (
        project.path / ".dvc/cache" / name(project, path) for path in ("parts/head.txt", "results/whole.txt")
    )
    head.unlink()
    head.touch(0o644)  # as a killed commit leaves it
    (project.path / "parts/head.txt").unlink()
    small_build.dvc(project, "checkout", "parts")
    assert (project.path / "parts/head.txt").read_bytes() == b"", "dvc checkout took it"
    found = verify(project)
    assert ("workspace", "parts/head.txt", "empty") in wrong(found)
    mend(project, found)

    whole.unlink()
    whole.touch(0o444)
    small_build.dvc(project, "repro", "-s", "-f", "whole")
    assert (project.path / "results/whole.txt").read_bytes() == b"", "the good output was replaced by the bad object"
    lie(project)
    found = verify(project)
    assert {kind for _, _, kind in wrong(found)} == {"empty"}
    mend(project, found)
    assert verify(project)["wrong"] == []


def test_what_git_keeps_comes_from_git(project: Project) -> None:
    """An output without DVC's cache, and an input that nobody makes."""
    flip(project.path / "count.json")
    flip(project.path / "raw.txt")
    lie(project)
    found = verify(project)

    assert wrong(found) == {("workspace", "count.json", "corrupt"), ("input", "raw.txt", "changed")}
    assert found["mend"] == ["rm -f raw.txt", "rm -f count.json", "git checkout HEAD -- count.json raw.txt"]
    mend(project, found)
    assert verify(project)["wrong"] == []


def test_data_under_dvc_add_is_an_artifact_that_only_a_copy_can_mend(project: Project) -> None:
    more = project.path / "more.txt"
    original = more.read_bytes()
    flip(more)
    (project.path / ".dvc/cache" / name(project, "more.txt")).unlink(missing_ok=True)
    found = verify(project)
    assert ("workspace", "more.txt", "corrupt") in wrong(found)
    assert "dvc pull more.txt.dvc" in found["mend"]

    shutil.rmtree(project.path.parent / "store")
    found = verify(project, "--remote")
    assert found["notes"] == ["more.txt: no right copy is known, no stage makes it: bring the original back"]
    more.unlink()
    more.write_bytes(original)
    mend(project, verify(project, "--remote"))
    assert verify(project, "--remote")["wrong"] == []


def test_an_edited_input_parameter_or_stage_is_outdated_and_a_build_mends_it(project: Project) -> None:
    project.edit("raw.txt", "row 0", "row zero")
    project.edit("params.yaml", "lines: 5", "lines: 6")
    project.edit("dvc.yaml", "wc -c", "wc -l")
    found = verify(project)

    assert wrong(found) == {
        ("input", "raw.txt", "changed"), ("dvc.lock", "parts", "changed"), ("dvc.lock", "count", "changed"),
    }  # fmt: skip
    assert found["mend"] == ["dvc repro"]
    assert found["notes"] == ["raw.txt: looks edited; `git checkout HEAD -- raw.txt` puts it back instead"]
    mend(project, found)
    assert verify(project)["wrong"] == []


def test_files_missing_and_unexpected_truncated_and_ignored(project: Project) -> None:
    (project.path / "model/config.json").unlink()
    (project.path / "model/extra.bin").write_bytes(b"x")
    (project.path / "model/ignored.tmp").touch()
    weights = project.path / "model/m.safetensors"
    put(weights, weights.read_bytes()[:-1], weights.stat())
    (project.path / "results/whole.txt").unlink()
    found = verify(project)

    assert wrong(found) == {
        ("workspace", "model/config.json", "missing"), ("workspace", "model/extra.bin", "unexpected"),
        ("workspace", "model/m.safetensors", "truncated"), ("workspace", "results/whole.txt", "missing"),
    }  # fmt: skip
    mend(project, found)
    assert verify(project)["wrong"] == []


def test_only_what_is_named_is_read_and_a_wrong_name_is_told(project: Project) -> None:
    flip(project.path / "parts/head.txt")

    assert verify(project, "model", "results/whole.txt")["wrong"] == []
    assert verify(project, "parts")["read"]["workspace"]["read"] == 2
    code, output = project.run(*MODELMAKE, "verify", "modle")
    assert (code, output) == (
        1,
        "modle: no stage and no artifact of dvc.yaml: want a name of either; did you mean model?\n",
    )


def test_a_clone_that_pulled_one_model_verifies_it_and_pulls_the_rest(project: Project) -> None:
    clone = small_build.fresh_clone(project, "clone")
    small_build.dvc(clone, "pull", "model")

    assert verify(clone, "model")["wrong"] == []
    found = verify(clone, "--remote")
    assert {kind for _, _, kind in wrong(found)} == {"missing"}
    assert found["mend"] == ["dvc checkout copied", "dvc pull -r store parts more.txt.dvc whole"], (
        "model has copied's bytes"
    )
    mend(clone, found)
    assert verify(clone, "--remote")["wrong"] == []


def test_objects_that_are_gone_from_the_remote_are_put_there_again(project: Project) -> None:
    """`dvc push` may not: it remembers which objects a remote had."""
    shutil.rmtree(project.path.parent / "store")
    found = verify(project, "--remote")

    assert {kind for _, _, kind in wrong(found)} == {"missing"}
    assert found["mend"] == ["modelmake verify --remote store --replace"]
    mend(project, found)
    assert verify(project, "--remote")["wrong"] == []


def test_a_stage_that_was_never_built_is_told(project: Project) -> None:
    project.edit("dvc.yaml", "stages:\n", "stages:\n  later:\n    cmd: echo 1 > later\n    outs: [later]\n")
    found = verify(project)

    assert wrong(found) == {("dvc.lock", "later", "not built")}
    mend(project, found)
    assert verify(project)["wrong"] == []


def test_lines_say_what_was_found_and_what_was_wanted(project: Project) -> None:
    head = project.path / "parts/head.txt"
    wanted = artifacts.measure(head).md5
    flip(head)
    code, output = project.run(*MODELMAKE, "verify")

    assert code == 1
    told = f"workspace: parts/head.txt: corrupt: found 30 bytes, md5 {artifacts.measure(head).md5}: want md5 {wanted}"
    assert output.splitlines() == [
        told,
        "workspace: 8 files, 0.0 MB: 1 wrong",
        "inputs: 3 files, 0.0 MB: as dvc.lock says",
        "cache: 9 objects, 0.0 MB: as dvc.lock says",
        "remote: not looked at; `modelmake verify --remote` does",
        "to mend, in this order:",
        "  rm -f parts/head.txt",
        "  dvc checkout parts",
        "proven: not rebuilt yet 5",
    ]
