"""The DVC cache and its run-cache, read as they lie on disk (DVC 3). Nothing in them is changed."""

import json
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from modelmake import artifacts
from modelmake.artifacts import Files

PROTECTED = 0o444  # DVC takes an object with this mode for sound, and hashes any other


class Cache:
    """The cache in a folder: `.dvc/cache`, where no configuration says otherwise."""

    def __init__(self, folder: Path) -> None:
        self._objects, self._runs = folder / "files/md5", folder / "runs"

    def whole(self, recorded: str | None) -> Files | None:
        """The files of an artifact of which the cache holds all, sound as far as DVC looks; else None."""
        if recorded is None or not self._sound(recorded):
            return None
        if not recorded.endswith(".dir"):
            return {"": recorded}
        try:
            found = {file["relpath"]: file["md5"] for file in json.loads(self._object(recorded).read_bytes())}
        except (ValueError, TypeError, KeyError):
            return None
        return found if all(map(self._sound, found.values())) else None

    def run(self, key: str) -> dict[str, Any] | None:
        """The newest run of this key, as an entry of dvc.lock; None where there is none."""
        found = list(self._runs.glob(f"{key[:2]}/{key}/*"))
        return _entry(max(found, key=os.path.getmtime).read_text("utf-8")) if found else None

    def runs(self, *words: str) -> Iterator[dict[str, Any]]:
        """All runs of which the entry holds these words."""
        for text in self._entries:
            if all(word in text for word in words) and (entry := _entry(text)):  # parsing is slow
                yield entry

    @cached_property
    def _entries(self) -> list[str]:
        return [file.read_text("utf-8") for file in self._runs.glob("*/*/*")]

    def _sound(self, recorded: str) -> bool:
        try:
            if os.stat(self._object(recorded)).st_mode & 0o777 == PROTECTED:
                return True
            with self._object(recorded).open("rb") as file:
                return artifacts.read(file).md5 == recorded.removesuffix(".dir")
        except FileNotFoundError:
            return False

    def _object(self, recorded: str) -> Path:
        return self._objects / recorded[:2] / recorded[2:]


def _entry(text: str) -> dict[str, Any] | None:
    from ruamel.yaml import YAML, YAMLError

    try:
        entry = YAML(typ="safe").load(text)
    except YAMLError:  # DVC removes it
        return None
    return entry if isinstance(entry, dict) else None
