"""What endpoints answered, a file a request: whole or not there, so that a kill loses only what is under way."""

import os
from pathlib import Path
from typing import Any

import msgspec


class Archive:
    """Answers by the id of their request. Several processes may use one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> Any:
        """What was put there; None where there is none, or where a loss of power cut it short."""
        try:
            return msgspec.json.decode(self._file(key).read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def put(self, key: str, value: Any) -> None:
        file = self._file(key)
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{file.name}.{os.getpid()}")
        partial.write_bytes(msgspec.json.encode(value) + b"\n")
        os.replace(partial, file)

    def _file(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"
