"""Imports of code that people edit by its content, not by the time and size of its files.

Python runs compiled code if its source has the same size and second of change. An edit in the same second, or one that
keeps size and time, would run the old code under the key of the new. So everything counts that is neither installed nor
of Python itself: the project, and packages that are folders. A package that a finder of its own brings, as some builds
of setuptools do, is loaded as that finder says; modules in it are found by path again.
"""

import os
import sys
import zlib
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader
from typing import Any

from modelmake.running.library_folders import LIBRARIES


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


def import_by_content() -> None:
    """Modules that are imported from now on run the code that is in their files, other than those of `LIBRARIES`."""
    find = FileFinder.path_hook((ExtensionFileLoader, EXTENSION_SUFFIXES), (_ByContent, SOURCE_SUFFIXES))

    def hook(path: str) -> FileFinder:
        if _is_library(path):
            raise ImportError(f"{path}: its code is not edited")
        return find(path)

    sys.path_hooks.insert(0, hook)
    for path in [path for path in sys.path_importer_cache if not _is_library(path)]:
        del sys.path_importer_cache[path]


def _is_library(path: str) -> bool:
    return f"{path}{os.sep}".startswith(LIBRARIES)
