"""DVC's lock files are the old ones or the new ones, never a part of one."""

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

CODE = """
from dvc.fs import LocalFileSystem
from dvc.utils.serialize import modify_yaml
with modify_yaml({name!r}, fs=LocalFileSystem()) as data:
    data["stages"] = {{"a": {{"cmd": "true"}}, "b": {value}}}
"""


def write(folder: Path, name: str, value: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", CODE.format(name=name, value=value)], cwd=folder, capture_output=True, text=True
    )


def test_a_write_that_ends_half_way_leaves_the_lock_as_it_was(tmp_path: Path) -> None:
    for name in ("dvc.lock", "other.yaml"):
        (tmp_path / name).write_text("schema: '2.0'\n")

        done = write(tmp_path, name, "object()")

        assert "RepresenterError" in done.stderr
    assert (tmp_path / "dvc.lock").read_text() == "schema: '2.0'\n"
    assert (tmp_path / "other.yaml").read_text() != "schema: '2.0'\n", "DVC writes in one step itself: this can go"


def test_a_write_that_ends_replaces_the_lock_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    assert write(tmp_path, "dvc.lock", "2").returncode == 0
    assert write(tmp_path, "dvc.lock", "3").returncode == 0

    assert (tmp_path / "dvc.lock").read_text() == "stages:\n  a:\n    cmd: 'true'\n  b: 3\n"
    assert [p.name for p in tmp_path.iterdir()] == ["dvc.lock"]


def test_a_lock_that_is_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/dvc.lock").write_text("stages: {}\n")
    (tmp_path / "dvc.lock").symlink_to("real/dvc.lock")

    assert write(tmp_path, "dvc.lock", "3").returncode == 0

    assert (tmp_path / "dvc.lock").is_symlink()
    assert "b: 3" in (tmp_path / "real/dvc.lock").read_text()


NOTE = """
from dvc.fs import LocalFileSystem
from dvc.rwlock import rwlock
with rwlock(".", LocalFileSystem(), {cmd}, ["read"], ["written"], False):
    print(open("rwlock").read())
"""


def note(folder: Path, cmd: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", NOTE.format(cmd=cmd)], cwd=folder, capture_output=True, text=True)


def test_a_note_of_who_reads_and_writes_is_whole_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "rwlock").write_text("{}")

    assert "is not JSON serializable" in note(tmp_path, "object()").stderr
    assert (tmp_path / "rwlock").read_text() == "{}"

    done = note(tmp_path, "'mine'")
    (reader,) = json.loads(done.stdout)["read"].values()
    assert [who["cmd"] for who in reader] == ["mine"]
    assert json.loads((tmp_path / "rwlock").read_text()) == {}


@pytest.mark.parametrize(("ended", "code"), [(True, 0), (False, 1)])
def test_a_process_that_ended_blocks_nobody_though_its_parent_never_asked(
    ended: bool, code: int, tmp_path: Path
) -> None:
    with subprocess.Popen(["true" if ended else "cat"], stdin=subprocess.PIPE) as child:
        while ended and psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        held = {"written": {"pid": child.pid, "cmd": "dvc repro"}}
        (tmp_path / "rwlock").write_text(json.dumps({"write": held, "read": {}}))

        done = note(tmp_path, "'mine'")

    assert (done.returncode, f"(PID {child.pid}): dvc repro" in done.stderr) == (code, not ended), done.stderr
