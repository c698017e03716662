"""Every byte of declared artifacts and inputs is read, and of nothing else."""

from modelmake import artifacts
from tests.conftest import Project
from tests.modelmake.small_build import flip, put
from tests.modelmake.verifying.conftest import MODELMAKE, assert_unseen_by_dvc, mend, verify, wrong


def test_a_build_as_dvc_lock_says_has_nothing_wrong(project: Project) -> None:
    result = verify(project, "--remote")

    assert result["wrong"] == result["mend"] == result["notes"] == []
    read = result["read"]
    assert read["workspace"]["read"] == 8  # two of parts, whole.txt, count.json, two of model, copied.json, more.txt
    assert read["inputs"]["read"] == 3  # raw.txt, weights.py, and results/.gitignore, which lies in an input
    assert (
        read["store"]["read"] == 8
    )  # lists of two folders, four files in them, whole.txt, more.txt; copied.json is one of them
    assert read["cache"]["read"] == 9  # also count.json, for the run-cache
    lines = project.run(*MODELMAKE, "verify")[1].splitlines()
    assert lines[-2:] == ["remote: not looked at; `modelmake verify --remote` does", "proven: not rebuilt yet 5"]


def test_only_named_stages_and_artifacts_are_read_and_a_wrong_name_is_an_error(project: Project) -> None:
    flip(project.path / "parts/head.txt")

    assert verify(project, "model", "results/whole.txt")["wrong"] == []
    assert verify(project, "parts")["read"]["workspace"]["read"] == 2
    code, output = project.run(*MODELMAKE, "verify", "modle")
    assert (code, output) == (
        1,
        "modle: no stage and no artifact of dvc.yaml: want a name of either; did you mean model?\n",
    )


def test_the_listing_of_a_folder_is_hashed_too_and_replaced_from_the_workspace(project: Project) -> None:
    listed = artifacts.measure(project.path / "parts").md5
    for folder in (project.path / ".dvc/cache", project.path.parent / "store"):
        path = folder / f"files/md5/{listed[:2]}/{listed[2:]}"
        put(path, path.read_bytes().replace(b"head", b"hood"), path.stat())
    assert_unseen_by_dvc(project)
    result = verify(project, "--remote")

    assert {(place, kind) for place, _, kind in wrong(result)} == {("cache", "corrupt"), ("store", "corrupt")}
    assert {tuple(finding["of"]) for finding in result["wrong"]} == {("parts/",)}
    mend(project, result)
    assert verify(project, "--remote")["wrong"] == []


def test_a_folder_without_an_intact_listing_here_is_one_finding_and_is_pulled(project: Project) -> None:
    listed = artifacts.measure(project.path / "parts").md5
    flip(project.path / f".dvc/cache/files/md5/{listed[:2]}/{listed[2:]}")
    flip(project.path / "parts/head.txt")
    result = verify(project)

    assert ("workspace", "parts", "corrupt") in wrong(result)
    mend(project, result)
    assert verify(project, "--remote")["wrong"] == []
