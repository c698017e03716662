"""Canonical rows that stay in their file: eight bytes of memory a row, each decoded when it is asked for."""

import mmap
from array import array
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import overload

import msgspec

from modelmake.errors import UserError
from stages.rows.row import Row


class Stored(Sequence[Row]):
    """The rows of a JSONL file, in order.

    Raises:
        UserError: where a row is asked for whose line is no canonical row.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.decoder = msgspec.json.Decoder(Row)
        self.ends = array("q")
        with path.open("rb") as file:
            end = 0
            for line in file:
                end += len(line)
                self.ends.append(end)
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if end else b""

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        try:
            return self.decoder.decode(self.line(index))
        except msgspec.MsgspecError as error:
            where = f"{self.path}:{index + 1}"
            raise UserError(f"{where}: {error}: want a canonical row; rebuild it with `dvc repro`") from None

    def line(self, index: int) -> bytes:
        """The bytes of a row, its newline included."""
        return self.data[self.ends[index - 1] if index else 0 : self.ends[index]]

    def write(self, path: Path, indices: Iterable[int]) -> None:
        """Writes some of the rows as they are, in the order of their indices."""
        with path.open("wb") as file:
            file.writelines(self.line(index) for index in sorted(indices))


class Joined(Sequence[Row]):
    """Rows, then some more."""

    def __init__(self, first: Sequence[Row], more: Sequence[Row]) -> None:
        self.first, self.more = first, more

    def __len__(self) -> int:
        return len(self.first) + len(self.more)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return self.first[index] if index < len(self.first) else self.more[index - len(self.first)]


class Texts(Sequence[str]):
    """A text of each of some rows, made when it is asked for."""

    def __init__(self, rows: Sequence[Row], indices: Sequence[int], text: Callable[[Row], str]) -> None:
        self.rows, self.indices, self.text = rows, indices, text

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> str:
        return self.text(self.rows[self.indices[index]])
