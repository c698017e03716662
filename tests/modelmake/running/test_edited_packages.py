"""A package that somebody edited where it is installed is named, and no other."""

import base64
import hashlib
import os
from pathlib import Path
from types import ModuleType

import pytest

from modelmake.running import edited_packages, environment, platform

INSTALLED_AT = 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A folder of installed packages, as a wheel is unpacked: each file some seconds after the one before."""
    record = ""
    for i, name in enumerate(("model/__init__.py", "model/llama.py", "model/made.py", "alone.py")):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("X = 1\n")
        os.utime(file, (INSTALLED_AT + i, INSTALLED_AT + i))
        digest = base64.urlsafe_b64encode(hashlib.sha256(b"X = 1\n").digest()).decode().rstrip("=")
        record += f"{name},sha256={digest},6\n" if "made" not in name else ""
    (tmp_path / "model-1.0.dist-info").mkdir()
    (tmp_path / "model-1.0.dist-info/RECORD").write_text(f"{record}model-1.0.dist-info/RECORD,,\n")
    return f"{tmp_path}{os.sep}"


def found(folder: str, *files: str) -> list[str]:
    modules = {}
    for file in files or ("model/__init__.py", "model/llama.py", "model/made.py", "alone.py"):
        modules[file] = ModuleType(file)
        modules[file].__file__ = f"{folder}{file}"
    return edited_packages.names(modules, (folder,))


def test_what_is_as_installed_is_not_named(folder: str) -> None:
    assert found(folder) == []


def test_a_package_with_an_edited_module_that_is_loaded_is_named(folder: str) -> None:
    Path(folder, "model/llama.py").write_text("X = 2\n")

    assert found(folder) == ["model"]
    assert found(folder, "model/__init__.py") == []


def test_a_file_that_was_only_copied_later_or_is_in_no_list_is_not_named(folder: str) -> None:
    for name in ("llama", "made"):
        os.utime(Path(folder, f"model/{name}.py"))
    Path(folder, "model/made.py").write_text("X = 3\n")

    assert found(folder) == []


def test_the_platform_names_edited_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "describe", lambda: "")
    monkeypatch.setattr(edited_packages, "names", lambda: ["transformers"])

    assert platform.read({})["packages"] == "transformers edited"
