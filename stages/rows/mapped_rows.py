"""Sequences of rows that are decoded on access, so that memory holds no contents."""

import mmap
from array import array
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import overload

import msgspec

from modelmake.errors import UserError
from stages.rows.row import Row


class _Rows(Sequence[Row]):
    """Access by index and by slice; subclasses define `__len__` and `_row`."""

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return [self._row(i) for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._row(index % len(self))

    def _row(self, index: int) -> Row:
        raise NotImplementedError


class MappedRows(_Rows):
    """Rows of a JSONL file, memory-mapped and decoded on access. Memory: eight bytes a row.

    Raises:
        UserError: on access to a line that is not a canonical row.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._decoder = msgspec.json.Decoder(Row)
        self._ends = array("q")  # offset of the end of each line
        with path.open("rb") as file:
            end = 0
            for line in file:
                end += len(line)
                self._ends.append(end)
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if end else b""

    def __len__(self) -> int:
        return len(self._ends)

    def _row(self, index: int) -> Row:
        try:
            return self._decoder.decode(self.line(index))
        except msgspec.MsgspecError as error:
            where = f"{self._path}:{index + 1}"
            raise UserError(f"{where}: {error}: want a canonical row; rebuild it with `dvc repro`") from None

    def line(self, index: int) -> bytes:
        """The undecoded line of a row, with its newline."""
        return self._data[self._ends[index - 1] if index else 0 : self._ends[index]]

    def write(self, path: Path, indices: Iterable[int]) -> None:
        """Copies lines to another file, in ascending order of their indices."""
        with path.open("wb") as file:
            file.writelines(self.line(index) for index in sorted(indices))


class ConcatenatedRows(_Rows):
    """Two sequences of rows, one after the other."""

    def __init__(self, first: Sequence[Row], second: Sequence[Row]) -> None:
        self._first, self._second = first, second

    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    def _row(self, index: int) -> Row:
        return self._first[index] if index < len(self._first) else self._second[index - len(self._first)]


class RowTexts(Sequence[str]):
    """`text(rows[i])` for each of the indices, computed on access."""

    def __init__(self, rows: Sequence[Row], indices: Sequence[int], text: Callable[[Row], str]) -> None:
        self._rows, self._indices, self._text = rows, indices, text

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> str:
        return self._text(self._rows[self._indices[index]])
