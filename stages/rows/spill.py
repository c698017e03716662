"""Values put away as they come and given back in the order of their ids, in memory that does not grow with them.

Ids are hashes, so their first digits spread values evenly over buckets. Values wait in memory up to a budget, then all
buckets are written to one temporary file, a segment each; a bucket is read, and sorted, only when its turn comes.
Memory: the budget, and one bucket, which is a 256th of all.
"""

import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

BUDGET = 32 << 20  # bytes of values that wait in memory
OVERHEAD = 160  # bytes that Python takes for an id and a value besides
DIGITS = 2  # hex digits of an id that tell its bucket
HEAD = struct.Struct("<24sI")  # of a value on disk: its id, its length


class Spill:
    """Values by id; an id may have several, which come back in the order that they came in."""

    def __init__(self, folder: Path, budget: int = BUDGET) -> None:
        self._folder, self._budget = folder, budget
        self._waiting: dict[str, list[tuple[str, bytes]]] = {}
        self._size = 0
        self._file: BinaryIO | None = None  # has no name: gone when this process is
        self._segments: dict[str, list[tuple[int, int]]] = {}  # bucket -> (offset, length)

    def add(self, id: str, value: bytes) -> None:
        """Puts a value away. An id is 24 hex digits."""
        self._waiting.setdefault(id[:DIGITS], []).append((id, value))
        self._size += len(value) + OVERHEAD
        if self._size > self._budget:
            self._write()

    def __iter__(self) -> Iterator[tuple[str, list[bytes]]]:
        """(id, its values), ids ascending."""
        for bucket in sorted(self._waiting.keys() | self._segments.keys()):
            values: dict[str, list[bytes]] = {}
            for id, value in self._read(bucket):
                values.setdefault(id, []).append(value)
            yield from sorted(values.items())

    def _write(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
        for bucket, items in self._waiting.items():
            segment = b"".join(HEAD.pack(id.encode(), len(value)) + value for id, value in items)
            self._segments.setdefault(bucket, []).append((self._file.tell(), len(segment)))
            self._file.write(segment)
        self._waiting, self._size = {}, 0

    def _read(self, bucket: str) -> Iterator[tuple[str, bytes]]:
        end = self._file.tell() if self._file else 0
        for offset, length in self._segments.get(bucket, ()):
            self._file.seek(offset)
            segment, at = self._file.read(length), 0
            while at < length:
                id, size = HEAD.unpack_from(segment, at)
                at += HEAD.size
                yield id.decode(), segment[at : at + size]
                at += size
        if self._file:
            self._file.seek(end)
        yield from self._waiting.get(bucket, ())
