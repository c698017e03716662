"""Rows put away on disk as they come, of which only ids and offsets are in memory, and given back sorted by id."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from stages.rows.row import Row


class Store:
    """Rows by id, in a file that is gone when the store is closed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed on exit)
        self._offsets: dict[str, int] = {}
        self._end = 0
        self._encoder, self._decoder = msgspec.json.Encoder(), msgspec.json.Decoder(Row)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._offsets)

    def __iter__(self) -> Iterator[Row]:
        """Every row, ids ascending."""
        return map(self._decoder.decode, self._lines())

    def put(self, row: Row) -> None:
        """Puts a row away, in the place of any with its id."""
        line = self._encoder.encode(row) + b"\n"
        self._file.seek(self._end)
        self._file.write(line)
        self._offsets[row.id] = self._end
        self._end += len(line)

    def get(self, id: str) -> Row | None:
        """The row of this id, if there is one."""
        if id not in self._offsets:
            return None
        self._file.seek(self._offsets[id])
        return self._decoder.decode(self._file.readline())

    def remove(self, id: str) -> None:
        del self._offsets[id]

    def write(self, path: Path) -> None:
        """Writes all rows as JSONL, as `rows.write` does."""
        with path.open("wb") as file:
            file.writelines(self._lines())

    def _lines(self) -> Iterator[bytes]:
        for id in sorted(self._offsets):
            self._file.seek(self._offsets[id])
            yield self._file.readline()
