"""Values by id, added in any order and read back sorted by id, in bounded memory (an external bucket sort).

Ids are hashes, so their first digits spread values evenly over buckets. Values wait in memory up to a budget; then all
buckets are written to one temporary file, one segment each. A bucket is read and sorted only when its turn comes.
Memory: the budget, and one bucket, a 256th of all values.
"""

import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

BUDGET_BYTES = 32 << 20  # of values that wait in memory
OVERHEAD_BYTES = 160  # Python's own, for an id and a value
BUCKET_DIGITS = 2  # leading hex digits of an id that choose its bucket
HEADER = struct.Struct("<24sI")  # of a value on disk: its id, its length in bytes


class Spill:
    """Values by id. The values of one id keep the order in which they were added."""

    def __init__(self, folder: Path, budget_bytes: int = BUDGET_BYTES) -> None:
        self._folder, self._budget_bytes = folder, budget_bytes
        self._pending: dict[str, list[tuple[str, bytes]]] = {}  # bucket -> (id, value)
        self._pending_bytes = 0
        self._file: BinaryIO | None = None  # unnamed: the system removes it when the process ends
        self._segments: dict[str, list[tuple[int, int]]] = {}  # bucket -> (offset, length)

    def add(self, id: str, value: bytes) -> None:
        """Adds a value under an id of 24 hex digits."""
        self._pending.setdefault(id[:BUCKET_DIGITS], []).append((id, value))
        self._pending_bytes += len(value) + OVERHEAD_BYTES
        if self._pending_bytes > self._budget_bytes:
            self._flush()

    def __iter__(self) -> Iterator[tuple[str, list[bytes]]]:
        """(id, its values), by ascending id."""
        for bucket in sorted(self._pending.keys() | self._segments.keys()):
            values: dict[str, list[bytes]] = {}
            for id, value in self._read(bucket):
                values.setdefault(id, []).append(value)
            yield from sorted(values.items())

    def _flush(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
        for bucket, items in self._pending.items():
            segment = b"".join(HEADER.pack(id.encode(), len(value)) + value for id, value in items)
            self._segments.setdefault(bucket, []).append((self._file.tell(), len(segment)))
            self._file.write(segment)
        self._pending, self._pending_bytes = {}, 0

    def _read(self, bucket: str) -> Iterator[tuple[str, bytes]]:
        end = self._file.tell() if self._file else 0
        for offset, length in self._segments.get(bucket, ()):
            self._file.seek(offset)
            segment, position = self._file.read(length), 0
            while position < length:
                id, size = HEADER.unpack_from(segment, position)
                position += HEADER.size
                yield id.decode(), segment[position : position + size]
                position += size
        if self._file:
            self._file.seek(end)
        yield from self._pending.get(bucket, ())
