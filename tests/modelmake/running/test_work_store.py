"""Outputs come back byte by byte to a run with the same identity; memos and archives to later runs of the stage."""

import fcntl
import hashlib
import os
import shutil
import threading
from pathlib import Path

import pytest

from modelmake.running import work_folders, work_store
from tests.modelmake.conftest import SHOUT, StageProject

IDENTITY = "0123456789abcdef"
OTHER = "fedcba9876543210"
COUNTED = """
runs = memo / "runs"
runs.write_text(runs.read_text() + "x" if runs.exists() else "x")
loud.write_text(source.read_text())
return f"run {len(runs.read_text())}"
"""


def write(project: StageProject, body: str) -> None:
    """Writes a stage whose `main` asks for a memo."""
    project.write_stage(body)
    file = project.root / "stages/shout.py"
    text = file.read_text().replace("import In, Out", "import In, Memo, Out")
    file.write_text(text.replace("loud: Out, params", "loud: Out, memo: Memo, params"))


def test_a_memo_is_there_for_a_run_with_other_inputs(project: StageProject) -> None:
    write(project, COUNTED)

    assert project.run()[1] == "stages.shout: run 1\n"
    (project.root / "source.txt").write_text("other rows")
    assert project.run()[1] == "stages.shout: run 2\n"


def test_each_version_of_code_and_parameters_has_its_own_memo(project: StageProject) -> None:
    write(project, COUNTED)
    project.run()
    (project.root / "params.yaml").write_text("shout: {mark: '?'}\n")

    assert project.run()[1] == "stages.shout: run 1\n"
    (project.root / "params.yaml").write_text("shout: {mark: '!'}\n")
    (project.root / "source.txt").write_text("other rows")
    assert project.run()[1] == "stages.shout: run 2\n"
    write(project, COUNTED.replace("read_text())\nreturn", "read_text().upper())\nreturn"))
    assert project.run()[1] == "stages.shout: run 1\n"


def test_the_last_two_memos_of_a_stage_are_kept(project: StageProject) -> None:
    write(project, COUNTED)
    for mark in "abc":
        (project.root / "params.yaml").write_text(f"shout: {{mark: {mark}}}\n")
        assert project.run()[1] == "stages.shout: run 1\n"
    (project.root / "source.txt").write_text("other rows")
    project.run()

    assert len(list((project.root / ".dvc/cache/modelmake/memos/stages.shout").iterdir())) == 2


def test_only_one_process_has_a_memo(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()

    assert [work_store.lock_memo(tmp_path, "shout", identity) for identity in (IDENTITY, IDENTITY, OTHER)] == [
        True, False, True,
    ]  # fmt: skip


def test_an_archive_is_there_for_all_later_runs(project: StageProject) -> None:
    for change in ("", " more", " and more", " and yet more"):
        write(project, COUNTED.replace("read_text())\nreturn", f"read_text() + '{change}')\nreturn"))
        file = project.root / "stages/shout.py"
        file.write_text(file.read_text().replace("Memo", "Archive"))
        (project.root / "params.yaml").write_text(f"shout: {{mark: 'x{change}'}}\n")
        (project.root / "source.txt").write_text(f"rows{change}")
        last = project.run()[1]

    assert last == "stages.shout: run 4\n"
    assert (project.root / ".dvc/cache/modelmake/archives/shout/runs").read_text() == "xxxx"


def test_stored_outputs_with_changed_bytes_are_built_again(project: StageProject) -> None:
    project.write_stage(SHOUT)
    project.run()
    [kept] = (project.root / ".dvc/cache/modelmake/finished").glob("*/*/0")
    kept.write_text("ROTS!")

    assert project.run()[0] == 0

    assert project.published() == {"loud.txt": "ROWS!"}
    assert [line["outcome"] for line in project.log()] == ["done", "done"]


def test_stored_outputs_that_dvc_lock_records_are_removed(project: StageProject) -> None:
    project.write_stage(SHOUT)
    project.run()
    (project.root / "dvc.lock").write_text(f"md5: {hashlib.md5(b'ROWS!').hexdigest()}")

    assert project.run()[0] == 0

    assert [line["outcome"] for line in project.log()] == ["done", "done"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".dvc").mkdir()
    return tmp_path


def saved(root: Path, identity: str = IDENTITY) -> work_store.Work:
    """The outputs of a stage: a file and a folder."""
    (root / "rows.txt").write_text("rows")
    (root / "model/deep").mkdir(parents=True)
    (root / "model/deep/weights").write_text("weights")
    return work_store.save(
        root, "shout", identity, {name: root / name for name in ("rows.txt", "model")}, "1 row"
    )  # fmt: skip


def test_saved_outputs_are_published_at_their_paths_in_the_place_of_old_ones(root: Path) -> None:
    work = saved(root)
    assert not (root / "rows.txt").exists() and not (root / "model").exists()
    (root / "model").mkdir()
    (root / "model/old").touch()

    work_store.publish(root, work)

    assert (root / "rows.txt").read_text() == "rows"
    assert [p.relative_to(root).as_posix() for p in sorted((root / "model").rglob("*"))] == [
        "model/deep", "model/deep/weights",
    ]  # fmt: skip
    assert work_store.load(root, "shout", IDENTITY) == work


def test_outputs_are_found_by_their_identity_and_loaded_only_if_no_byte_changed(root: Path) -> None:
    assert not work_store.has_work(root, "shout")
    work = saved(root)

    assert work_store.has_work(root, "shout") and not work_store.has_work(root, "clean")
    assert work_store.find(root, "shout", OTHER) is None
    assert work_store.find(root, "shout", IDENTITY) == work
    (work.outputs["model"] / "deep/weights").write_text("Weights")
    assert work_store.find(root, "shout", IDENTITY) == work
    assert work_store.load(root, "shout", IDENTITY) is None


def test_outputs_without_a_complete_manifest_do_not_count(root: Path) -> None:
    manifest = saved(root).outputs["rows.txt"].with_name(work_store.MANIFEST)
    manifest.write_text(manifest.read_text()[:20])

    assert work_store.find(root, "shout", IDENTITY) is None


def test_checkpoints_of_an_identity_are_removed_once_it_is_finished(root: Path) -> None:
    folders = [work_folders.folder(root, work_folders.CHECKPOINTS, "shout", identity) for identity in (IDENTITY, OTHER)]
    for folder in folders:
        folder.mkdir(parents=True)
    saved(root)

    assert [folder.exists() for folder in folders] == [False, True]


def test_the_outputs_of_the_last_two_identities_are_kept_and_any_that_a_process_has_locked(root: Path) -> None:
    for age_s, identity in enumerate(["c", "b", "a", "locked"]):
        folder = saved(root, identity).outputs["rows.txt"].parent
        os.utime(folder, (1_000_000 - age_s,) * 2)
    with work_store.lock(root, "shout", "locked"):
        work_store.prune(root, "shout")

    assert [bool(work_store.find(root, "shout", identity)) for identity in ("c", "b", "a", "locked")] == [
        True, True, False, True,
    ]  # fmt: skip


def test_a_folder_that_another_process_removes_meanwhile_is_no_error(root: Path, monkeypatch) -> None:
    kept, gone = (saved(root, identity).outputs["rows.txt"].parent for identity in "ab")
    is_dir = Path.is_dir

    def then_gone(path: Path) -> bool:
        found = is_dir(path)
        if path == gone and found:
            shutil.rmtree(path)
        return found

    monkeypatch.setattr(Path, "is_dir", then_gone)
    work_store.prune(root, "shout")

    assert kept.exists()


def test_what_is_being_removed_is_locked_meanwhile(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for age_s, identity in enumerate("cba"):
        os.utime(saved(root, identity).outputs["rows.txt"].parent, (1_000_000 - age_s,) * 2)
    removed, rmtree = [], shutil.rmtree

    def watched(folder: Path, **options: bool) -> None:
        lock = root / ".dvc/cache/modelmake/locks" / f"shout.{folder.name}"
        with lock.open() as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        removed.append(folder.name)
        rmtree(folder, **options)

    monkeypatch.setattr(shutil, "rmtree", watched)
    work_store.prune(root, "shout")

    assert removed == ["a"]
    assert list((root / ".dvc/cache/modelmake/locks").iterdir()) == []


def test_a_second_process_of_an_identity_waits_for_the_first(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    entered = threading.Event()

    def second() -> None:
        with work_store.lock(root, "shout", IDENTITY):
            entered.set()

    thread = threading.Thread(target=second)
    with work_store.lock(root, "shout", IDENTITY):
        thread.start()
        assert not entered.wait(0.2)
        with work_store.lock(root, "shout", OTHER):
            pass
    assert entered.wait(10)
    thread.join()

    message = f"shout: waits for process {os.getpid()}, which builds the same outputs\n"
    assert capfd.readouterr().err == message
    assert list((root / ".dvc/cache/modelmake/locks").iterdir()) == []
