"""A stage works on copies or links of its declared inputs, and finds nothing else."""

import os
import re
from pathlib import Path
from typing import BinaryIO

import pytest

from modelmake import artifacts
from modelmake.errors import UserError
from modelmake.running import sandbox, sandbox_layout
from tests.modelmake.conftest import SHOUT_SLOWLY, StageProject


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data/deep").mkdir(parents=True)
    (tmp_path / "data/deep/rows.txt").write_text("rows")
    (tmp_path / "source.txt").write_text("small")
    (tmp_path / "envs").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sandbox_layout, "MAX_COPY_BYTES", 100)
    return tmp_path


def test_inputs_are_at_their_own_paths_and_the_sandbox_is_removed_at_the_end(root: Path) -> None:
    with sandbox.enter(root, "clean", [Path("data"), Path("source.txt")], ["envs", "absent"]) as box:
        names = {path.relative_to(box.folder).as_posix() for path in box.folder.rglob("*")}
        assert (Path.cwd(), names) == (
            box.folder, {"data", "data/deep", "data/deep/rows.txt", "source.txt", "envs"},
        )  # fmt: skip
        assert Path("envs").resolve() == root / "envs"

    assert (Path.cwd(), box.folder.exists()) == (root, False)


def test_a_small_input_is_copied_and_edits_of_the_original_do_not_reach_it(root: Path) -> None:
    with sandbox.enter(root, "clean", [Path("data"), Path("source.txt")], []) as box:
        assert box.changed() == []
        (root / "source.txt").write_text("edited")

        assert Path("source.txt").read_text() == "small"
        assert (box.intact(), box.changed()) == (True, ["source.txt"])
        (root / "data/deep/rows.txt").unlink()
        assert box.changed() == ["data", "source.txt"]


def test_a_large_input_is_linked_and_a_write_to_it_is_noticed_whatever_its_time(root: Path) -> None:
    source = root / "source.txt"
    source.write_bytes(b"x" * 101)
    with sandbox.enter(root, "clean", [Path("source.txt")], []) as box:
        status = source.stat()
        assert source.samefile("source.txt")
        os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert box.intact(), "the same bytes"

        with source.open("r+b") as file:
            file.write(b"y")
        os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert not box.intact()


def test_two_inputs_may_be_one_large_file(root: Path) -> None:
    (root / "data/deep/rows.txt").write_bytes(b"x" * 101)
    with sandbox.enter(root, "train", [Path("data"), Path("data")], []):
        assert (root / "data/deep/rows.txt").samefile("data/deep/rows.txt")


def test_a_linked_input_is_read_once_unless_somebody_touches_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, reads, read = root / "data/weights", [], artifacts.read
    weights.write_bytes(b"x" * 101)

    def counted(stream: BinaryIO) -> artifacts.File:
        reads.append(Path(stream.name).name)
        return read(stream)

    monkeypatch.setattr(artifacts, "read", counted)
    with sandbox.enter(root, "clean", [Path("data"), Path("source.txt")], []) as box:
        assert (box.intact(), box.changed()) == (True, [])
        assert (reads.count("weights"), reads.count("source.txt")) == (1, 2), "one is linked, one copied"

        weights.unlink()
        weights.write_bytes(b"y" * 101)
        assert (box.intact(), box.changed()) == (True, ["data"])
        (root / "data/weights").unlink()
        assert box.changed() == ["data"]


def test_what_no_hash_covers_is_refused_by_name_before_anything_is_copied(root: Path) -> None:
    (root / "data/link").symlink_to(root / "envs")
    (root / "data/circle").symlink_to(root / "data")
    (root / "data/deep/gone.txt").symlink_to(root / "gone.txt")
    os.mkfifo(root / "data/deep/pipe")

    with pytest.raises(UserError) as error, sandbox.enter(root, "clean", [Path("data"), Path("source.txt")], []):
        pass

    assert str(error.value).splitlines() == [
        "clean: data/circle: a link to a folder: DVC does not see the files in it; put them there",
        "clean: data/deep/gone.txt: a link to nothing: want a file; remove it, or put one there",
        "clean: data/deep/pipe: no regular file: want a file; remove it, or put one there",
        "clean: data/link: a link to a folder: DVC does not see the files in it; put them there",
    ]
    assert not (root / sandbox.FOLDER).exists()


def test_links_to_files_and_an_input_that_is_itself_a_link_to_a_folder_are_inputs(root: Path) -> None:
    (root / "data/deep/link.txt").symlink_to(root / "source.txt")
    (root / "linked").symlink_to(root / "data/deep")

    with sandbox.enter(root, "clean", [Path("linked")], []) as box:
        assert sorted(file.read_text() for file in Path("linked").iterdir()) == ["rows", "small"]
        assert (box.intact(), box.changed()) == (True, [])


def test_an_input_outside_of_the_project_is_read_where_it_is_by_its_absolute_path(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "weights").write_text("weights")

    with sandbox.enter(root, "clean", [outside], []) as box:
        assert (box.intact(), box.changed(), list(box.md5s)) == (True, [], [str(outside)])
        (outside / "weights").write_text("Weights")
        assert (box.intact(), box.changed()) == (False, [str(outside)])

    assert (outside / "weights").read_text() == "Weights"
    with pytest.raises(UserError, match=r"^clean: \.\./outside: outside of the project: want a path in it, or an abs"):
        sandbox.enter(root, "clean", [Path("../outside")], []).__enter__()


def test_what_an_earlier_run_left_is_removed(root: Path) -> None:
    left = root / sandbox.FOLDER / "clean/left.txt"
    left.parent.mkdir(parents=True)
    left.touch()

    with sandbox.enter(root, "clean", [], []):
        assert not left.exists()


def test_a_stage_is_locked_until_its_process_ends(root: Path) -> None:
    with sandbox.enter(root, "clean", [], []):
        pass

    message = rf"^clean: process {os.getpid()} runs it in this clone: wait for it, or end it$"
    with pytest.raises(UserError, match=message), sandbox.enter(root, "clean", [], []):
        pass


@pytest.mark.parametrize(
    "reading",
    ["Path('other.txt')", "Path('params.yaml')"],
)
def test_a_stage_finds_no_undeclared_file(project: StageProject, reading: str) -> None:
    project.write_stage(f"loud.write_text({reading}.read_text())\nreturn ''")
    (project.root / "other.txt").write_text("x")

    code, _, err = project.run()

    assert code == 1
    assert "No such file or directory" in err
    assert project.published() == {}


def test_a_second_run_of_a_stage_in_a_clone_is_refused_with_the_process_that_runs_it(project: StageProject) -> None:
    project.write_stage(SHOUT_SLOWLY)
    second = []

    code, _, _ = project.run(meanwhile=lambda: second.append(project.run()))

    assert (code, second[0][0]) == (0, 1)
    assert re.fullmatch(r"stages.shout: process \d+ runs it in this clone: wait for it, or end it\n", second[0][2])


def test_a_name_that_begins_with_dots_is_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("..rows").touch()

    assert sandbox.problems("..rows") == []
    assert sandbox.problems("data/../../rows") == [
        "data/../../rows: outside of the project: want a path in it, or an absolute one"
    ]
