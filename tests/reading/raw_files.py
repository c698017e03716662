"""Writes a raw file and reads its records."""

from pathlib import Path

from stages.reading.containers.record import Broken, Record
from stages.reading.files import read


def read_bytes(folder: Path, name: str, content: bytes) -> list[Record | Broken]:
    path = folder / name
    path.write_bytes(content)
    return list(read(path, name))


def read_text(folder: Path, name: str, text: str) -> list[Record | Broken]:
    return read_bytes(folder, name, text.encode())
