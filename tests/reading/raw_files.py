"""Writes a raw file and reads its records."""

from pathlib import Path

from stages.reading.containers.record import Broken, Record
from stages.reading.files import read


def read_bytes(folder: Path, name: str, content: bytes) -> list[Record | Broken]:
    path = folder / name
    path.write_bytes(content)
    return list(read(path, name))


def read_told(folder: Path, name: str, content: bytes | str) -> tuple[list[Record | Broken], list[str]]:
    """(records, what the reader tells of the file)."""
    path, told = folder / name, list[str]()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read(path, name, told.append)), told


def read_text(folder: Path, name: str, text: str) -> list[Record | Broken]:
    return read_bytes(folder, name, text.encode())
