"""The printed commands mend what was found, from the nearest place with the right bytes."""

import shutil
import subprocess

from tests.conftest import Project
from tests.modelmake import small_build
from tests.modelmake.small_build import flip
from tests.modelmake.verifying.conftest import assert_unseen_by_dvc, mend, object_name, verify, wrong


def test_a_bad_file_that_is_hard_linked_to_the_cache_comes_from_the_remote(project: Project) -> None:
    linked, cached = project.path / "results/whole.txt", object_name(project, "results/whole.txt")
    assert linked.samefile(project.path / ".dvc/cache" / cached)
    flip(linked)
    assert_unseen_by_dvc(project)
    result = verify(project)

    assert wrong(result) == {
        ("workspace", "results/whole.txt", "corrupt"),
        ("cache", f".dvc/cache/{cached}", "corrupt"),
    }
    assert result["mend"] == [f"rm -f results/whole.txt .dvc/cache/{cached}", "dvc pull whole"]
    pushed = project.path.parent / "store" / cached
    flip(pushed)
    assert verify(project)["mend"][1:] == ["dvc repro -s -f whole"], "a folder is asked, to name the right command"
    flip(pushed)
    project.edit(".dvc/config", "url = ../../store", "url = s3://bucket/store")
    far = verify(project)
    assert far["mend"][1:] == ["dvc pull whole"], "a server is not, but"
    assert far["notes"] == [
        "if the remote lacks objects (`modelmake verify --remote` lists them), build them again: dvc repro -s -f whole"
    ]
    project.edit(".dvc/config", "url = s3://bucket/store", "url = ../../store")
    mend(project, result)
    assert verify(project, "--remote")["wrong"] == []


def test_an_artifact_without_a_right_copy_is_built_again_and_then_replaced_on_the_remote(project: Project) -> None:
    weights = project.path / "model/m.safetensors"
    pushed = project.path.parent / "store" / object_name(project, "model/m.safetensors")
    for path in (weights, project.path / ".dvc/cache" / object_name(project, "model/m.safetensors"), pushed):
        flip(path)
    assert_unseen_by_dvc(project)
    result = verify(project, "--remote")

    assert len(result["wrong"]) == 3
    assert result["mend"][1:] == ["dvc repro -s -f model", "modelmake verify --remote store --replace"]
    mend(project, result)
    assert verify(project, "--remote")["wrong"] == []
    assert (
        "dvc.lock"
        not in subprocess.run(["git", "status", "--short"], cwd=project.path, capture_output=True, text=True).stdout
    ), "the same bytes were built"


def test_uncached_outputs_and_inputs_come_from_git(project: Project) -> None:
    """An output without DVC's cache, and an input that nobody makes."""
    flip(project.path / "count.json")
    flip(project.path / "raw.txt")
    assert_unseen_by_dvc(project)
    result = verify(project)

    assert wrong(result) == {("workspace", "count.json", "corrupt"), ("input", "raw.txt", "changed")}
    assert result["mend"] == ["rm -f raw.txt", "rm -f count.json", "git checkout HEAD -- count.json raw.txt"]
    mend(project, result)
    assert verify(project)["wrong"] == []


def test_data_under_dvc_add_comes_from_a_copy_or_is_lost(project: Project) -> None:
    more = project.path / "more.txt"
    original = more.read_bytes()
    flip(more)
    (project.path / ".dvc/cache" / object_name(project, "more.txt")).unlink(missing_ok=True)
    result = verify(project)
    assert ("workspace", "more.txt", "corrupt") in wrong(result)
    assert "dvc pull more.txt.dvc" in result["mend"]

    shutil.rmtree(project.path.parent / "store")
    result = verify(project, "--remote")
    assert result["notes"] == ["more.txt: no intact copy is known and no stage makes it: restore the original"]
    more.unlink()
    more.write_bytes(original)
    mend(project, verify(project, "--remote"))
    assert verify(project, "--remote")["wrong"] == []


def test_a_clone_that_pulled_one_model_pulls_the_rest(project: Project) -> None:
    clone = small_build.fresh_clone(project, "clone")
    small_build.dvc(clone, "pull", "model")

    assert verify(clone, "model")["wrong"] == []
    result = verify(clone, "--remote")
    assert {kind for _, _, kind in wrong(result)} == {"missing"}
    assert result["mend"] == ["dvc checkout copied", "dvc pull -r store parts more.txt.dvc whole"], (
        "model has copied's bytes"
    )
    mend(clone, result)
    assert verify(clone, "--remote")["wrong"] == []


def test_objects_missing_on_the_remote_are_put_there_again(project: Project) -> None:
    """`dvc push` may not: it remembers which objects a remote had."""
    shutil.rmtree(project.path.parent / "store")
    result = verify(project, "--remote")

    assert {kind for _, _, kind in wrong(result)} == {"missing"}
    assert result["mend"] == ["modelmake verify --remote store --replace"]
    mend(project, result)
    assert verify(project, "--remote")["wrong"] == []
