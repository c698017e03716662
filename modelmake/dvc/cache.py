"""DVC's cache and run-cache, read from disk as DVC 3 lays them out. Nothing in them is changed."""

import json
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from modelmake import artifacts
from modelmake.artifacts import Files

PROTECTED = 0o444  # DVC trusts an object with this mode, and hashes any other


class Cache:
    """The cache in a folder: `.dvc/cache`, unless the configuration names another."""

    def __init__(self, folder: Path) -> None:
        self._objects, self._runs = folder / "files/md5", folder / "runs"

    def whole(self, md5: str | None) -> Files | None:
        """The files of an artifact; None where the cache lacks one, or DVC would not trust it."""
        if not md5 or not self._trusted(md5):
            return None
        if not md5.endswith(".dir"):
            return {"": md5}
        try:
            files = {file["relpath"]: file["md5"] for file in json.loads(self._object(md5).read_bytes())}
        except (ValueError, TypeError, KeyError):
            return None
        return files if all(map(self._trusted, files.values())) else None

    def read(self, md5: str) -> bytes | None:
        """The content of a file; None where the cache lacks it or has other bytes, and where no MD5 is recorded."""
        if not md5:
            return None
        try:
            content = self._object(md5).read_bytes()
        except FileNotFoundError:
            return None
        return content if artifacts.md5(content) == md5 else None

    def run(self, key: str) -> dict[str, Any] | None:
        """The newest run of a key, as an entry of dvc.lock; None where there is none."""
        runs = list(self._runs.glob(f"{key[:2]}/{key}/*"))
        return _entry(max(runs, key=os.path.getmtime).read_text("utf-8")) if runs else None

    def runs(self, *words: str) -> Iterator[dict[str, Any]]:
        """The runs whose entry contains all of these words."""
        for text in self._entries:
            if all(word in text for word in words) and (entry := _entry(text)):  # parsing is slow
                yield entry

    @cached_property
    def _entries(self) -> list[str]:
        return [file.read_text("utf-8") for file in self._runs.glob("*/*/*")]

    def _trusted(self, md5: str) -> bool:
        """True for an object that DVC would check out: protected, or with the right bytes."""
        try:
            if os.stat(self._object(md5)).st_mode & 0o777 == PROTECTED:
                return True
            with self._object(md5).open("rb") as file:
                return artifacts.read(file).md5 == md5.removesuffix(".dir")
        except FileNotFoundError:
            return False

    def _object(self, md5: str) -> Path:
        return self._objects / md5[:2] / md5[2:]


def _entry(text: str) -> dict[str, Any] | None:
    from ruamel.yaml import YAML, YAMLError

    try:
        entry = YAML(typ="safe").load(text)
    except YAMLError:  # DVC removes it
        return None
    return entry if isinstance(entry, dict) else None
