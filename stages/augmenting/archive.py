"""Store of endpoint responses, one JSON file a request. Files appear whole, so a killed run loses none that it has."""

import os
from pathlib import Path
from typing import Any

import msgspec


class Archive:
    """Responses by request id. Several processes may share a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> Any:
        """The stored value; None if there is none, or if a power loss truncated its file."""
        try:
            return msgspec.json.decode(self._path(key).read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def put(self, key: str, value: Any) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        partial.write_bytes(msgspec.json.encode(value) + b"\n")
        os.replace(partial, path)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"
