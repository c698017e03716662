"""What the tables of every build say of single rows: where they stood, what became of them, who consumed them.

Tables are recognised by their columns, never by a stage's name or a path (docs/decisions/0014): Parquet and JSONL
outputs, or files in folder outputs. Of each table the index keeps a bit for each fact (or row) that it states, so that
a hundred versions of the same rows take little room, and answers come without the cache.
"""

import io
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from modelmake.tracing.history import History

COLUMNS = {  # kind of table: the columns that make it one
    "source": {"id", "file", "line"},  # where a row stands in the raw data
    "parent": {"id", "parent"},  # the row that a changed row was before
    "drop": {"id", "reason"},  # a row that went no further; `kept` names the row that stands for it
    "rejected": {"file", "line", "reason"},  # a raw record that became no row
    "rows": {"id", "content"},
    "consumed": {"step", "ids"},  # what a training step really consumed, in order
}
STATED = ("source", "parent", "drop", "rejected")  # each line of which is a fact
FACT = ("id", "parent", "kept", "file", "line")  # columns that the index knows by name; the rest is told


MANY = 100  # tables that take long enough to say so


class Fact(NamedTuple):
    """A line of a table that says something of a row."""

    number: int
    kind: str
    row: int  # 0 where the table names none
    other: int  # its parent, or the row kept for it; 0 where there is none
    file: str
    line: int
    told: dict[str, Any]  # reason, detail, similarity, …


class Row(msgspec.Struct):
    id: str


class Batch(msgspec.Struct):
    ids: list[str]


class RowIndex:
    """The rows of a history, brought up to date."""

    def __init__(self, history: History) -> None:
        self.history, self.db = history, history.db
        self._ids: dict[str, int] = {}
        self._placed: set[int] = set()  # rows whose content the index can find
        self._update()

    def _update(self) -> None:
        query = """SELECT md5 FROM outs WHERE path LIKE '%.jsonl' OR path LIKE '%.parquet'
                   UNION SELECT members.md5 FROM members JOIN outs ON outs.md5 = folder
                   WHERE members.path LIKE '%.jsonl' OR members.path LIKE '%.parquet'
                   EXCEPT SELECT md5 FROM objects"""
        found = [md5 for (md5,) in self.db.execute(query) if self.history.has(md5)]
        if len(found) > MANY:
            print(f"trace: reads {len(found):,} tables into the index of this machine, once", file=sys.stderr)
        for md5 in found:
            content = self.history.read(md5)
            if content is None:
                continue
            if not self._ids:
                self._ids = {"": 0, **dict(self.db.execute("SELECT id, row FROM ids"))}
                self._placed = {row for (row,) in self.db.execute("SELECT row FROM contents")}
            with self.db:
                kind, bits = self._table(md5, content)
                self.db.execute("INSERT INTO objects VALUES (?, ?, ?)", (md5, kind, bits))

    def _table(self, md5: str, content: bytes) -> tuple[str, bytes]:
        """A table's kind, "" where it is none of ours; and the numbers of its rows or facts as bits."""
        lines: list[Any]
        if content[:4] == b"PAR1":
            from pyarrow import parquet

            file = parquet.ParquetFile(io.BytesIO(content))
            kind = _kind(file.schema_arrow.names)
            lines = file.read().to_pylist() if kind in STATED else []
        else:
            lines = content.splitlines(keepends=True)
            try:
                kind = _kind(json.loads(lines[0])) if lines else ""
            except ValueError:
                return "", b""
            if kind == "rows":
                return kind, self._rows(md5, lines)
            if kind == "consumed":
                decoder = msgspec.json.Decoder(Batch)
                return kind, _bits(self._numbers(id for line in lines for id in decoder.decode(line).ids))
            lines = [json.loads(line) for line in lines] if kind in STATED else []
        return (kind, self._facts(kind, lines)) if kind in STATED else ("", b"")

    def _rows(self, md5: str, lines: list[bytes]) -> bytes:
        decoder = msgspec.json.Decoder(Row)
        numbers = self._numbers(decoder.decode(line).id for line in lines)
        places, start = [], 0
        for number, line in zip(numbers, lines, strict=True):
            if number not in self._placed:
                self._placed.add(number)
                places.append((number, md5, start, len(line)))
            start += len(line)
        self.db.executemany("INSERT INTO contents (row, object, start, size) VALUES (?, ?, ?, ?)", places)
        return _bits(numbers)

    def _facts(self, kind: str, lines: list[dict[str, Any]]) -> bytes:
        others = [line.get("parent") or line.get("kept") or "" for line in lines]
        rows = self._numbers(line.get("id", "") for line in lines)
        told = [json.dumps({k: v for k, v in line.items() if k not in FACT}) for line in lines]
        facts = [
            (kind, row, other, line.get("file", ""), line.get("line", 0), rest)
            for line, row, other, rest in zip(lines, rows, self._numbers(others), told, strict=True)
        ]
        self.db.execute("CREATE TEMP TABLE IF NOT EXISTS new (kind, row, other, file, line, told)")
        self.db.execute("DELETE FROM new")
        self.db.executemany("INSERT INTO new VALUES (?, ?, ?, ?, ?, ?)", facts)
        columns = "kind, row, other, file, line, told"
        self.db.execute(f"INSERT OR IGNORE INTO facts ({columns}) SELECT * FROM new")
        return _bits(n for (n,) in self.db.execute(f"SELECT fact FROM new CROSS JOIN facts USING ({columns})"))

    def _numbers(self, ids: Iterable[str]) -> list[int]:
        """The number of each id, 0 for ""; new ids get one."""
        ids = list(ids)
        numbers = [self._ids.get(id, -1) for id in ids]
        if -1 not in numbers:
            return numbers
        new = dict.fromkeys(id for id, number in zip(ids, numbers, strict=True) if number < 0)
        first = len(self._ids)
        self.db.executemany("INSERT INTO ids VALUES (?, ?)", enumerate(new, first))
        self._ids.update((id, number) for number, id in enumerate(new, first))
        return [self._ids[id] for id in ids]

    def number(self, id: str) -> int:
        """The row's number, 0 where no table of any build names it."""
        found = self.db.execute("SELECT row FROM ids WHERE id = ?", (id,)).fetchone()
        return found[0] if found else 0

    def id(self, row: int) -> str:
        return self.db.execute("SELECT id FROM ids WHERE row = ?", (row,)).fetchone()[0]

    def kinds(self) -> dict[str, str]:
        """{md5: kind} of every table that was read; "" of files that are no table of rows."""
        return dict(self.db.execute("SELECT md5, kind FROM objects"))

    def tables(self, kind: str, numbers: Iterable[int]) -> dict[str, list[int]]:
        """{md5: those of the numbers that it has} of the tables of a kind that have any: rows, or facts."""
        numbers = sorted(numbers)
        found = {}
        if numbers:
            for md5, bits in self.db.execute("SELECT md5, bits FROM objects WHERE kind = ?", (kind,)):
                if has := [n for n in numbers if n >> 3 < len(bits) and bits[n >> 3] >> (n & 7) & 1]:
                    found[md5] = has
        return found

    def facts(self, condition: str, *values: Any) -> list[Fact]:
        """The facts that an SQL condition on their columns holds for."""
        query = f"SELECT fact, kind, row, other, file, line, told FROM facts WHERE {condition} ORDER BY fact"
        return [Fact(*found[:-1], json.loads(found[-1])) for found in self.db.execute(query, values)]

    def numbers_of(self, ids: Iterable[str]) -> dict[str, int]:
        """{id: number} of rows that tables name."""
        wanted = set(ids)
        return {id: row for id, row in self.db.execute("SELECT id, row FROM ids") if id in wanted}

    def places(self, tables: Iterable[str]) -> dict[int, list[tuple[str, str, int]]]:
        """{row: (table, file, line) of its copies} as some tables of sources say."""
        found: dict[int, list[tuple[str, str, int]]] = {}
        for table, row, _, file, line in self._stated("source", tables):
            found.setdefault(row, []).append((table, file, line))
        return found

    def parents(self, tables: Iterable[str]) -> dict[int, list[int]]:
        """{changed row: the rows that it was before} as some tables of parents say."""
        found: dict[int, list[int]] = {}
        for _, row, parent, _, _ in self._stated("parent", tables):
            found.setdefault(row, []).append(parent)
        return found

    def _stated(self, kind: str, tables: Iterable[str]) -> Iterator[tuple[str, int, int, str, int]]:
        """(table, row, other, file, line) of the facts in some tables of a kind."""
        wanted = set(tables)
        found = self.db.execute("SELECT md5, bits FROM objects WHERE kind = ?", (kind,))
        stating = [(md5, bits) for md5, bits in found if md5 in wanted]
        query = "SELECT fact, row, other, file, line FROM facts WHERE kind = ?"
        for fact, *stated in self.db.execute(query, (kind,)) if stating else ():
            for md5, bits in stating:
                if fact >> 3 < len(bits) and bits[fact >> 3] >> (fact & 7) & 1:
                    yield (md5, *stated)

    def rows_in(self, md5: str) -> int:
        """How many rows a file of rows has."""
        (bits,) = self.db.execute("SELECT bits FROM objects WHERE md5 = ?", (md5,)).fetchone()
        return int.from_bytes(bits, "little").bit_count()

    def content(self, row: int) -> Any:
        """What a row says, from the cache; None where no table has it, or the one that does is gone."""
        place = self.db.execute("SELECT object, start, size FROM contents WHERE row = ?", (row,)).fetchone()
        if place is None:
            return None
        md5, start, size = place
        try:
            with (self.history.cache / md5[:2] / md5[2:]).open("rb") as file:
                file.seek(start)
                line = json.loads(file.read(size))
        except (OSError, ValueError):
            return None
        return line["content"] if isinstance(line, dict) and line.get("id") == self.id(row) else None


def _kind(columns: Iterable[str]) -> str:
    return next((kind for kind, wanted in COLUMNS.items() if wanted <= set(columns)), "")


def _bits(numbers: Iterable[int]) -> bytes:
    import numpy as np

    found = np.fromiter(numbers, np.int64)
    bits = np.zeros(found.max(initial=-1) + 1, np.uint8)
    bits[found] = 1
    return np.packbits(bits, bitorder="little").tobytes()
