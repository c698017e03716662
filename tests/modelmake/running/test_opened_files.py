"""Files of the project that a stage or its modules read are known, however they get their paths."""

import contextlib
import ctypes
import importlib.machinery
import importlib.util
import linecache
import os
import pkgutil
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from modelmake.errors import UserError
from modelmake.running import opened_files
from tests.modelmake.conftest import StageProject

REFUSED = (
    "stages.shout: read {}, which is neither an input nor in its key: declare it in dvc.yaml, "
    "or, if it belongs to the code, write its path from the project's root there; nothing published\n"
)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened_files, "_read", set())
    monkeypatch.setattr(opened_files, "_code", set())
    monkeypatch.delitem(sys.modules, "room", raising=False)
    opened_files.watch()
    opened_files.pause()


def test_files_and_folders_that_are_read_are_recorded_by_their_path_from_the_root(tmp_path: Path) -> None:
    for name in ("rows.txt", "code.py", ".dvc/config", "envs/tool/uv.lock", "made.txt", "late.txt", "notes/a.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link.txt").symlink_to(tmp_path / "rows.txt")
    (tmp_path / "early.txt").write_text("read before")
    sqlite3.connect(tmp_path / "words.db").close()

    (tmp_path / "early.txt").read_text()
    with opened_files.record(tmp_path) as first:
        (tmp_path / "link.txt").read_text()
    with opened_files.record(tmp_path) as opened:
        for name in ("code.py", ".dvc/config", "envs/tool/uv.lock"):
            (tmp_path / name).read_text()
        (tmp_path / "made.txt").write_text("written, not read")
        os.listdir(os.fsencode(tmp_path / "notes"))
        sqlite3.connect(tmp_path / "words.db").close()
        with contextlib.suppress(FileNotFoundError):
            os.listdir(tmp_path / "nowhere")
        Path(__file__).read_text()
    (tmp_path / "late.txt").read_text()

    assert first == {"rows.txt"}
    assert opened == {"rows.txt", "code.py", "envs/tool/uv.lock", "notes", "words.db"}


def test_a_file_outside_that_a_link_in_the_project_leads_to_is_recorded_by_the_link(tmp_path: Path) -> None:
    root, outside = tmp_path / "project", tmp_path / "lists"
    (root / "stages").mkdir(parents=True)
    outside.mkdir()
    (outside / "words.txt").touch()
    (root / "stages/lists").symlink_to(outside)

    with opened_files.record(root) as opened:
        (root / "stages/lists/words.txt").read_text()
        (outside / "words.txt").read_text()

    assert opened == {"stages/lists/words.txt"}


def test_code_that_is_imported_or_shown_in_a_warning_is_not_read(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "shown_once.py").write_text("import warnings\ndef f(): warnings.warn('x', stacklevel=1)\n")
    monkeypatch.syspath_prepend(tmp_path)

    with opened_files.record(tmp_path) as opened, warnings.catch_warnings():
        warnings.simplefilter("always")
        import shown_once

        shown_once.f()

    assert opened == set()


def test_what_the_library_opens_for_others_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "room").mkdir()
    for name in ("words.txt", "code.py", "room/__init__.py", "room/words.json"):
        (tmp_path / name).write_text("1\n")
    monkeypatch.syspath_prepend(tmp_path)

    with opened_files.record(tmp_path) as opened:
        assert linecache.getline(str(tmp_path / "words.txt"), 1) == "1\n"
        assert pkgutil.get_data("room", "words.json") == b"1\n"
        assert linecache.getline(str(tmp_path / "room/__init__.py"), 1) == "1\n"

    assert opened == {"words.txt", "room/words.json"}, "the line is one of a loaded module, as in a traceback"


@pytest.mark.parametrize("read", [
    "tokenize.open(path).read()", "linecache.getline(path, 1)", "pkgutil.get_data('room', '../code.py')",
    "importlib.machinery.SourceFileLoader('code', path).get_data(path)",
    "importlib.util.module_from_spec(spec := importlib.util.spec_from_file_location('x', path)); "
    "spec.loader.exec_module(types.ModuleType('x'))",
])  # fmt: skip
def test_code_that_is_no_loaded_module_is_read_by_whatever_function(tmp_path: Path, monkeypatch, read: str) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room/__init__.py").touch()
    (tmp_path / "code.py").write_text("1\n")
    monkeypatch.syspath_prepend(tmp_path)
    names = {m: __import__(m) for m in ("importlib.util", "linecache", "pkgutil", "tokenize", "types")}

    with opened_files.record(tmp_path) as opened:
        exec(read, {**names, "importlib": importlib, "path": str(tmp_path / "code.py")})

    assert opened == {"code.py"}


def test_a_module_that_cannot_be_imported_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needs_nothing.py").write_text("import there_is_nothing\n")
    monkeypatch.syspath_prepend(tmp_path)

    with opened_files.record(tmp_path) as opened, contextlib.suppress(ImportError):
        import needs_nothing  # noqa: F401

    assert opened == set()


@pytest.mark.parametrize("name", ["tokenize", "importlib_external", "numba/core/caching"])
def test_a_module_of_the_project_is_not_trusted_for_its_name(tmp_path: Path, name: str) -> None:
    module = tmp_path / "site-packages" / f"{name}.py"
    module.parent.mkdir(parents=True)
    (tmp_path / "other.py").touch()
    code = compile("open(path).read()", str(module), "exec")

    with opened_files.record(tmp_path) as opened:
        exec(code, {"path": str(tmp_path / "other.py")})

    assert opened == {"other.py"}


def test_a_folder_is_covered_if_all_its_data_files_are(tmp_path: Path) -> None:
    for name in ("stages/page/a.css", "stages/page/b.css", "stages/mixed/a.txt", "stages/mixed/b.txt", "envs/t/x.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    key = {
        "files": dict.fromkeys(["stages/page/a.css", "stages/page/b.css", "stages/mixed/a.txt"], "hash"),
        "environments": {"envs/t": {}},
        "symbols": {"stages.mixed": {}},
    }
    read = {"stages/page", "stages/mixed", "stages/page/a.css", "stages/mixed/b.txt", "envs/t", "envs/t/x.txt"}

    assert opened_files.uncovered(tmp_path, read, key) == ["stages/mixed", "stages/mixed/b.txt"]


def test_a_folder_is_covered_if_all_modules_in_it_are(tmp_path: Path) -> None:
    for name in ("stages/formats/__init__.py", "stages/formats/chat.py", "stages/formats/__pycache__/chat.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    key = {"files": {}, "environments": {}, "symbols": {"stages": {}, "stages.formats": {}, "stages.formats.chat": {}}}
    read = {"stages/formats"}

    assert opened_files.uncovered(tmp_path, read, key) == []
    for added in ("stages/formats/other.py", "stages/formats/room/words.txt"):
        (tmp_path / added).parent.mkdir(exist_ok=True)
        (tmp_path / added).touch()
        assert opened_files.uncovered(tmp_path, read, key) == ["stages/formats"]
        (tmp_path / added).unlink()


def test_the_names_of_modules_that_a_stage_does_not_import_are_refused(project: StageProject) -> None:
    project.write_stage(
        "loud.write_text(str(sorted(p.stem for p in (Path(__file__).parent / 'formats').glob('*.py'))))\nreturn ''"
    )
    (project.root / "stages/formats").mkdir()
    (project.root / "stages/formats/chat.py").touch()

    assert project.run() == (1, "", REFUSED.format("stages/formats"))


@pytest.mark.parametrize(
    "read",
    ["ctypes.CDLL(path)", "os.link(path, path + '2')", "os.rename(path, path + '2')", "shutil.move(path, path + '2')"],
)
def test_a_file_that_is_loaded_linked_or_moved_is_read(tmp_path: Path, read: str) -> None:
    (tmp_path / "words.txt").touch()
    names = {name: __import__(name) for name in ("ctypes", "os", "shutil")}

    with opened_files.record(tmp_path) as opened:
        with contextlib.suppress(OSError):  # it is no library
            exec(read, {**names, "path": str(tmp_path / "words.txt")})
        (tmp_path / "words.txt").touch()

    assert "words.txt" in opened


def test_the_process_itself_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes").mkdir()
    monkeypatch.chdir(tmp_path / "notes")

    with opened_files.record(tmp_path) as opened:
        ctypes.CDLL(None)
    with opened_files.record(tmp_path) as listed:
        os.listdir()

    assert (opened, listed) == (set(), {"notes"})


def test_code_is_covered_if_its_text_is_in_the_key(tmp_path: Path) -> None:
    key = {"files": {}, "environments": {}, "symbols": {"stages": {}, "stages.leaf": {}}, "texts": True}
    read = {"stages/__init__.py", "stages/leaf.py", "stages/other.py"}

    assert opened_files.uncovered(tmp_path, read, key) == ["stages/other.py"]
    assert opened_files.uncovered(tmp_path, read, key | {"texts": False}) == sorted(read)


def test_a_stage_may_read_its_own_source(project: StageProject) -> None:
    project.write_stage("loud.write_text(open(__file__).read())\nreturn ''")

    assert project.run() == (0, "stages.shout: \n", "")
    assert "harness.run(main)" in project.published()["loud.txt"]


def test_a_harness_without_a_watch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened_files, "_active", [])

    with pytest.raises(UserError, match=r"^stages/__init__\.py: begins no watch of the files that modules read"):
        opened_files.pause()


def test_the_stages_begin_the_watch_only_as_programs() -> None:
    root = Path(opened_files.__file__).parents[2]
    script = "import stages; from modelmake.running import opened_files; assert not opened_files._active"

    assert subprocess.run([sys.executable, "-c", script], cwd=root).returncode == 0


def test_compiled_code_beside_a_module_may_be_read(project: StageProject) -> None:
    project.write_stage(
        "[compiled] = Path(__file__).parent.rglob('*.nbi')\nloud.write_bytes(compiled.read_bytes())\nreturn ''"
    )
    (project.root / "stages/__pycache__").mkdir(exist_ok=True)
    (project.root / "stages/__pycache__/shout.kernel.nbi").touch()

    assert project.run() == (0, "stages.shout: \n", "")


def test_a_file_read_by_its_absolute_path_is_refused_by_name(project: StageProject) -> None:
    project.write_stage("(Path(__file__).parents[1] / 'other.txt').read_text()\nloud.touch()\nreturn ''")
    (project.root / "other.txt").write_text("x")

    assert project.run() == (1, "", REFUSED.format("other.txt"))


READS = "from pathlib import Path\nWORDS = (Path(__file__).parents[1] / 'notes/words.txt').read_text()\n"


@pytest.mark.parametrize("importing", ["stage", "room", "chosen"])
def test_a_file_read_while_a_module_is_imported_is_refused_by_name(project: StageProject, importing: str) -> None:
    (project.root / "notes").mkdir()
    (project.root / "notes/words.txt").write_text("hey")
    chosen = "\n    def modules(self) -> list[str]:\n        return ['stages.words']\n"
    project.write_stage("loud.touch()\nreturn ''", methods=chosen if importing == "chosen" else "")
    stage = project.root / "stages/shout.py"
    if importing == "stage":
        stage.write_text(stage.read_text().replace("\n\ndef main", f"\n{READS}\ndef main"))
    else:
        (project.root / "stages/words.py").write_text(READS)
    if importing == "room":
        stage.write_text("from stages.words import WORDS\n" + stage.read_text())

    assert project.run() == (1, "", REFUSED.format("notes/words.txt"))
