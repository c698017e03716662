"""What DVC 3.67 does with the empty objects of a killed commit or push. A failure may mean that DVC was mended."""

from modelmake import artifacts
from tests.conftest import Project
from tests.modelmake import small_build
from tests.modelmake.verifying.conftest import assert_unseen_by_dvc, mend, object_name, verify, wrong


def test_a_push_replaces_the_empty_object_of_a_killed_push(project: Project) -> None:
    """What docs/remotes.md says of DVC 3.67: files are pushed before the list of their folder, which is last."""
    store = project.path.parent / "store"
    pushed, listed = store / object_name(project, "parts/head.txt"), artifacts.measure(project.path / "parts").md5
    pushed.unlink()
    pushed.touch(0o644)
    (store / f"files/md5/{listed[:2]}/{listed[2:]}").unlink()
    small_build.dvc(project, "push")

    assert pushed.read_bytes() == (project.path / "parts/head.txt").read_bytes()


def test_checkout_and_repro_take_an_empty_object_and_verify_finds_it(project: Project) -> None:
    """What DVC 3.67 does; a failure may be DVC's mending."""
    head, whole = (
        project.path / ".dvc/cache" / object_name(project, path) for path in ("parts/head.txt", "results/whole.txt")
    )
    head.unlink()
    head.touch(0o644)  # as a killed commit leaves it
    (project.path / "parts/head.txt").unlink()
    small_build.dvc(project, "checkout", "parts")
    assert (project.path / "parts/head.txt").read_bytes() == b"", "dvc checkout took it"
    result = verify(project)
    assert ("workspace", "parts/head.txt", "empty") in wrong(result)
    mend(project, result)

    whole.unlink()
    whole.touch(0o444)
    small_build.dvc(project, "repro", "-s", "-f", "whole")
    assert (project.path / "results/whole.txt").read_bytes() == b"", "the good output was replaced by the bad object"
    assert_unseen_by_dvc(project)
    result = verify(project)
    assert {kind for _, _, kind in wrong(result)} == {"empty"}
    mend(project, result)
    assert verify(project)["wrong"] == []
