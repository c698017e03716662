"""Imports of the project's own modules by their content, not by the time and size of their files.

Python runs compiled code if its source has the same size and second of change. An edit in the same second, or one that
keeps size and time, would run the old code under the key of the new.
"""

import sys
import zlib
from collections.abc import Iterable
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader
from pathlib import Path
from typing import Any


class _ByContent(SourceFileLoader):
    """A loader to which a source has the checksum of its content as its time. It has compiled files of its own."""

    def get_data(self, path: str) -> bytes:
        return super().get_data(_compiled(path))

    def set_data(self, path: str, data: bytes, **mode: Any) -> None:
        super().set_data(_compiled(path), data, **mode)

    def path_stats(self, path: str) -> dict[str, Any]:
        content = self.get_data(path)
        return {"mtime": zlib.crc32(content), "size": len(content)}


def _compiled(path: str) -> str:
    return f"{path[:-4]}.content.pyc" if path.endswith(".pyc") else path


def import_by_content(root: Path, packages: Iterable[str]) -> None:
    """Modules of these packages in `root` that are imported from now on run the code that is in their files."""
    folders = tuple(str(root / package) for package in packages)
    find = FileFinder.path_hook((ExtensionFileLoader, EXTENSION_SUFFIXES), (_ByContent, SOURCE_SUFFIXES))

    def hook(path: str) -> FileFinder:
        if not path.startswith(folders):
            raise ImportError(f"{path}: not of the project")
        return find(path)

    sys.path_hooks.insert(0, hook)
    for path in [path for path in sys.path_importer_cache if path.startswith(folders)]:
        del sys.path_importer_cache[path]
