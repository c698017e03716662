"""A clone of HEAD gets recorded bytes only, whatever the project's cache and workspace hold."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modelmake.dvc import graph, stores
from modelmake.errors import UserError
from modelmake.running import state_dir
from modelmake.verifying import clone
from modelmake.verifying.clone import Clone
from tests.conftest import Project
from tests.modelmake.small_build import flip
from tests.modelmake.verifying.conftest import object_name


def recorded_text(made: Clone, path: str) -> str | None:
    """The content of `recorded` for an artifact that is a file."""
    [out] = [out for node in made.nodes.values() for out in node.outs if out.path == path]
    files = made.recorded(out)
    return files and files[""].read_text()


def test_a_clone_is_beside_the_repository_without_built_artifacts_and_is_removed(project: Project) -> None:
    with contextlib.ExitStack() as cleanup:
        folder, path = clone.make(project.path, cleanup)
        assert folder.parent == project.path.parent
        assert (path / "dvc.lock").read_text() == project.read("dvc.lock")
        assert not (path / "results/whole.txt").exists() and not (path / ".dvc/cache").exists()

    assert not folder.exists()


def test_a_clone_that_shares_the_cache_has_what_was_built_and_adds_to_it(project: Project) -> None:
    with contextlib.ExitStack() as cleanup:
        _, path = clone.make(project.path, cleanup, shared=True)
        assert stores.cache(path).path("0" * 32) == stores.cache(project.path).path("0" * 32)
        assert state_dir.folder(path) == state_dir.folder(project.path)


def test_a_clone_that_takes_a_commit_again_has_nothing_of_what_was_made_in_it(project: Project) -> None:
    with contextlib.ExitStack() as cleanup:
        _, path = clone.make(project.path, cleanup)
        (path / "dvc.lock").unlink()
        (path / "dvc.yaml").write_text("stages: {}")
        (path / "results").mkdir(exist_ok=True)
        (path / "results/whole.txt").write_text("built")  # git ignores it
        (path / "added").mkdir()
        (path / "added/new.txt").write_text("new")
        (path / ".dvc/tmp").mkdir(exist_ok=True)
        (path / ".dvc/tmp/state").write_text("of DVC")

        clone.check_out(path, "HEAD")

        assert (path / "dvc.lock").read_text() == project.read("dvc.lock")
        assert (path / "dvc.yaml").read_text() == project.read("dvc.yaml")
        assert not (path / "results/whole.txt").exists() and not (path / "added").exists()
        assert (path / ".dvc/tmp/state").exists() and (path / ".dvc/config.local").exists()


ENDLESS = """
import contextlib, pathlib, sys
from modelmake.verifying import clone
with contextlib.ExitStack() as cleanup:
    folder, path = clone.make(pathlib.Path(sys.argv[1]), cleanup)
    print(path, flush=True)
    writes = f"trap '' INT; while mkdir -p {path}/left; do : > {path}/left/file; done"
    clone.run(["sh", "-c", f'sh -c "{writes}"; true'], path, pathlib.Path(sys.executable).parent)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_ends_what_runs_in_a_clone_and_leaves_no_clone(project: Project, number: int) -> None:
    """What runs there ignores Ctrl-C, as dvc does while a stage runs, and would make the folder again."""
    running = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, project.path], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    path = Path(running.stdout.readline().strip())
    while not (path / "left/file").exists():
        assert running.poll() is None
        time.sleep(0.02)

    os.killpg(running.pid, number)
    running.wait(timeout=60)

    assert not path.exists()
    time.sleep(0.2)
    assert not path.exists(), "nobody writes there any more"


IDLE = """
import contextlib, pathlib, sys, time
from modelmake.verifying import clone
with contextlib.ExitStack() as cleanup:
    folder, path = clone.make(pathlib.Path(sys.argv[1]), cleanup)
    print(path, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_nothing_runs_in_a_clone_leaves_none_either(tmp_path: Path, number: int) -> None:
    root = tmp_path / "project"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc/config").touch()
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "t"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    running = subprocess.Popen([sys.executable, "-c", IDLE, root], stdout=subprocess.PIPE, text=True)
    path = Path(running.stdout.readline().strip())
    assert path.is_dir() and path != root

    running.send_signal(number)

    assert running.wait(timeout=60) == 128 + number
    assert [*tmp_path.iterdir()] == [root]


def test_recorded_bytes_come_from_the_cache_or_the_workspace_and_never_from_a_bad_copy(project: Project) -> None:
    made = Clone(project.path, Path("unused"), graph.recorded(project.path), stores.cache(project.path))
    whole, cached = project.path / "results/whole.txt", project.path / ".dvc/cache"
    text, linked = whole.read_text(), cached / object_name(project, "results/whole.txt")
    whole.unlink()
    whole.write_text(text)  # no longer linked to the cache
    assert recorded_text(made, "results/whole.txt") == text

    flip(linked)
    assert made.digest(linked).md5 != made.digest(whole).md5, "hashed again though its time was put back"
    assert recorded_text(made, "results/whole.txt") == text

    flip(whole)
    assert recorded_text(made, "results/whole.txt") is None


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", ".", "a/..", "linked/x"])
def test_nothing_outside_of_a_clone_is_a_place_in_it(tmp_path: Path, path: str) -> None:
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone/linked").symlink_to(tmp_path)
    with pytest.raises(UserError, match="outside of the project"):
        clone.place(tmp_path / "clone", path)

    assert clone.place(tmp_path / "clone", "linked") == tmp_path / "clone/linked", "the link itself may be removed"


def test_a_stage_with_an_editable_folder_of_the_repository_does_not_run_in_a_clone(project: Project) -> None:
    """The environment has the folder of the working tree on its path."""
    lock = '[[package]]\nname = "{0}"\nversion = "1"\nsource = {{ editable = "{1}" }}\n'
    project.write("uv.lock", lock.format("ours", "packages/ours") + lock.format("theirs", "../theirs"))
    (project.path / "keys").mkdir()
    project.write("keys/parts.json", '{"packages": {"ours": "1", "theirs": "1"}}')
    project.write("keys/count.json", '{"packages": {"theirs": "1"}}')

    with pytest.raises(UserError, match=r"^its key has ours, a folder of this repository: clones would import the wor"):
        clone.check_packages(project.path, "parts")
    clone.check_packages(project.path, "count")
    clone.check_packages(project.path, "model")
