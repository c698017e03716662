"""Installed packages whose loaded modules are not as they were installed: somebody edited or patched them."""

import base64
import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from modelmake.running.library_folders import INSTALLED

UNPACKING_S = 60  # a package is unpacked within


def names(modules: Mapping[str, ModuleType] | None = None, folders: tuple[str, ...] = INSTALLED) -> list[str]:
    """The top-level names of edited packages in `folders` of which modules are loaded, sorted.

    Only a file that is newer than another one of its package is read and compared with what its wheel says of it.
    """
    times: dict[tuple[str, str], dict[str, float]] = {}  # of loaded files, by folder and top-level name
    for module in list((sys.modules if modules is None else modules).values()):
        file = getattr(module, "__dict__", {}).get("__file__")
        folder = next((f for f in folders if isinstance(file, str) and file.startswith(f)), None)
        if folder is not None and os.path.exists(file):
            top = file[len(folder) :].partition(os.sep)[0]
            times.setdefault((folder, top), {})[file] = os.stat(file).st_mtime
    newer = {key: [f for f, at in files.items() if at > min(files.values()) + UNPACKING_S]
             for key, files in times.items()}  # fmt: skip
    return sorted(top for (folder, top), files in newer.items() if files and _differ(Path(folder), files))


def _differ(folder: Path, files: list[str]) -> bool:
    """True if the content of a file is not what a list of installed files says."""
    lists = [record.read_text("utf-8") for record in folder.glob("*.dist-info/RECORD")]
    for file in files:
        start = f"\n{Path(file).relative_to(folder).as_posix()},sha256="
        for text in lists:
            _, found, rest = f"\n{text}".partition(start)
            if found and rest.partition(",")[0] != _sha256(file):
                return True
    return False


def _sha256(file: str) -> str:
    with open(file, "rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
