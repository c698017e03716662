"""Rows in the tables of all builds: their places in the raw data, drops, parents, and the batches that consumed them.

Tables are Parquet or JSONL outputs, or files in folder outputs. They are recognised by their columns, never by a
stage's name or a path (docs/decisions/0014). A fact is a line of a table that says something about a row; facts that
many tables repeat are stored once. Of each table the index keeps a bitmap of its facts (or rows), so that a hundred
versions of the same rows take little room, and questions are answered without the cache.
"""

import io
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from modelmake.tracing.history import History

COLUMNS = {  # kind of table: the columns that make it one
    "source": {"id", "file", "line"},  # the place of a row in the raw data
    "parent": {"id", "parent"},  # the row from which a changed row was made
    "drop": {"id", "reason"},  # a dropped row; `kept` names the row that was kept instead
    "rejected": {"file", "line", "reason"},  # a raw record that became no row
    "rows": {"id", "content"},
    "consumed": {"step", "ids"},  # the rows of a training step, in order
}
FACTS = ("source", "parent", "drop", "rejected")  # kinds of table with a fact on each line
INDEXED = ("id", "parent", "kept", "file", "line")  # columns of facts; the others are details
MANY = 100  # tables that take long enough for a message


class Fact(NamedTuple):
    number: int
    kind: str
    row: int  # 0: none
    related: int  # the row's parent, or the row kept instead; 0: none
    file: str
    line: int
    details: dict[str, Any]  # reason, detail, similarity, …


class Row(msgspec.Struct):
    id: str


class Batch(msgspec.Struct):
    ids: list[str]


class RowIndex:
    """The rows and facts of a history. Creating it brings the index up to date.

    Rows, facts and contents are numbered. `db` is the SQLite index; a `Similarity` may keep tables of its own there.
    """

    def __init__(self, history: History) -> None:
        self.history, self.db = history, history.db
        self._numbers: dict[str, int] = {}  # {id: row}
        self._with_content: set[int] = set()  # rows whose content the index can find
        self._update()

    def _update(self) -> None:
        query = """SELECT md5 FROM outs WHERE path LIKE '%.jsonl' OR path LIKE '%.parquet'
                   UNION SELECT members.md5 FROM members JOIN outs ON outs.md5 = folder
                   WHERE members.path LIKE '%.jsonl' OR members.path LIKE '%.parquet'
                   EXCEPT SELECT md5 FROM objects"""
        new = [md5 for (md5,) in self.db.execute(query) if self.history.cached(md5)]
        if len(new) > MANY:
            print(f"trace: reads {len(new):,} tables into the index of this machine, once", file=sys.stderr)
        for md5 in new:
            content = self.history.read(md5)
            if content is None:
                continue
            if not self._numbers:
                self._numbers = {"": 0, **dict(self.db.execute("SELECT id, row FROM ids"))}
                self._with_content = {row for (row,) in self.db.execute("SELECT row FROM contents")}
            with self.db:
                kind, bitmap = self._add_table(md5, content)
                self.db.execute("INSERT INTO objects VALUES (?, ?, ?)", (md5, kind, bitmap))

    def _add_table(self, md5: str, content: bytes) -> tuple[str, bytes]:
        """A table's kind, "" where the columns are of none; and the bitmap of its rows or facts."""
        lines: list[Any]
        if content[:4] == b"PAR1":
            from pyarrow import parquet

            file = parquet.ParquetFile(io.BytesIO(content))
            kind = _kind(file.schema_arrow.names)
            lines = file.read().to_pylist() if kind in FACTS else []
        else:
            lines = content.splitlines(keepends=True)
            try:
                first = json.loads(lines[0]) if lines else {}
            except ValueError:
                return "", b""
            kind = _kind(first) if isinstance(first, dict) else ""
            if kind == "rows":
                return kind, self._add_rows(md5, lines)
            if kind == "consumed":
                decoder = msgspec.json.Decoder(Batch)
                return kind, _bitmap(self._rows(id for line in lines for id in decoder.decode(line).ids))
            lines = [json.loads(line) for line in lines] if kind in FACTS else []
        return (kind, self._add_facts(kind, lines)) if kind in FACTS else ("", b"")

    def _add_rows(self, md5: str, lines: list[bytes]) -> bytes:
        decoder = msgspec.json.Decoder(Row)
        rows = self._rows(decoder.decode(line).id for line in lines)
        places, start = [], 0
        for row, line in zip(rows, lines, strict=True):
            if row not in self._with_content:
                self._with_content.add(row)
                places.append((row, md5, start, len(line)))
            start += len(line)
        self.db.executemany("INSERT INTO contents (row, object, start, size) VALUES (?, ?, ?, ?)", places)
        return _bitmap(rows)

    def _add_facts(self, kind: str, lines: list[dict[str, Any]]) -> bytes:
        rows = self._rows(line.get("id", "") for line in lines)
        related = self._rows(line.get("parent") or line.get("kept") or "" for line in lines)
        details = [json.dumps({k: v for k, v in line.items() if k not in INDEXED}) for line in lines]
        facts = [
            (kind, row, other, line.get("file", ""), line.get("line", 0), rest)
            for line, row, other, rest in zip(lines, rows, related, details, strict=True)
        ]
        columns = "kind, row, related, file, line, details"
        self.db.execute(f"CREATE TEMP TABLE IF NOT EXISTS new ({columns})")
        self.db.execute("DELETE FROM new")
        self.db.executemany("INSERT INTO new VALUES (?, ?, ?, ?, ?, ?)", facts)
        self.db.execute(f"INSERT OR IGNORE INTO facts ({columns}) SELECT * FROM new")
        numbers = self.db.execute(f"SELECT fact FROM new CROSS JOIN facts USING ({columns})")
        return _bitmap(number for (number,) in numbers)

    def _rows(self, ids: Iterable[str]) -> list[int]:
        """The number of each id, 0 of "". New ids are added."""
        ids = list(ids)
        numbers = [self._numbers.get(id, -1) for id in ids]
        if -1 not in numbers:
            return numbers
        new = dict.fromkeys(id for id, number in zip(ids, numbers, strict=True) if number < 0)
        first = len(self._numbers)
        self.db.executemany("INSERT INTO ids VALUES (?, ?)", enumerate(new, first))
        self._numbers.update((id, number) for number, id in enumerate(new, first))
        return [self._numbers[id] for id in ids]

    def row(self, id: str) -> int:
        """The number of a row; 0 where no table has the id."""
        result = self.db.execute("SELECT row FROM ids WHERE id = ?", (id,)).fetchone()
        return result[0] if result else 0

    def rows(self, ids: Iterable[str]) -> dict[str, int]:
        """{id: number} of those rows that tables have."""
        ids = set(ids)
        return {id: row for id, row in self.db.execute("SELECT id, row FROM ids") if id in ids}

    def id(self, row: int) -> str:
        return self.db.execute("SELECT id FROM ids WHERE row = ?", (row,)).fetchone()[0]

    def kinds(self) -> dict[str, str]:
        """{MD5: kind} of every table that was read; "" of files with other columns."""
        return dict(self.db.execute("SELECT md5, kind FROM objects"))

    def tables_with(self, kind: str, numbers: Iterable[int]) -> dict[str, list[int]]:
        """{MD5: numbers} of the tables of a kind that have any of these rows or facts."""
        numbers = sorted(numbers)
        tables = {}
        if numbers:
            for md5, bitmap in self.db.execute("SELECT md5, bits FROM objects WHERE kind = ?", (kind,)):
                if members := [number for number in numbers if _is_set(bitmap, number)]:
                    tables[md5] = members
        return tables

    def count(self, md5: str) -> int:
        """The number of distinct rows in a table of rows."""
        (bitmap,) = self.db.execute("SELECT bits FROM objects WHERE md5 = ?", (md5,)).fetchone()
        return int.from_bytes(bitmap, "little").bit_count()

    def facts(self, condition: str, *values: Any) -> list[Fact]:
        """The facts that meet an SQL condition on the columns of `Fact`."""
        query = f"SELECT fact, kind, row, related, file, line, details FROM facts WHERE {condition} ORDER BY fact"
        return [Fact(*columns, json.loads(details)) for *columns, details in self.db.execute(query, values)]

    def places(self, tables: Iterable[str]) -> dict[int, list[tuple[str, str, int]]]:
        """{row: [(MD5 of the table, file, line)]} in these tables of sources."""
        result: dict[int, list[tuple[str, str, int]]] = {}
        for table, row, _, file, line in self._facts_of("source", tables):
            result.setdefault(row, []).append((table, file, line))
        return result

    def parents(self, tables: Iterable[str]) -> dict[int, list[int]]:
        """{changed row: rows that it was made from} in these tables of parents."""
        result: dict[int, list[int]] = {}
        for _, row, parent, _, _ in self._facts_of("parent", tables):
            result.setdefault(row, []).append(parent)
        return result

    def _facts_of(self, kind: str, tables: Iterable[str]) -> Iterator[tuple[str, int, int, str, int]]:
        """(MD5 of the table, row, related, file, line) of the facts in these tables of a kind."""
        tables = set(tables)
        bitmaps = self.db.execute("SELECT md5, bits FROM objects WHERE kind = ?", (kind,))
        bitmaps = [(md5, bitmap) for md5, bitmap in bitmaps if md5 in tables]
        query = "SELECT fact, row, related, file, line FROM facts WHERE kind = ?"
        for number, *fact in self.db.execute(query, (kind,)) if bitmaps else ():
            for md5, bitmap in bitmaps:
                if _is_set(bitmap, number):
                    yield (md5, *fact)

    def content(self, row: int) -> Any:
        """A row's content, from the cache; None where no table has it, or the cache has lost that table."""
        place = self.db.execute("SELECT object, start, size FROM contents WHERE row = ?", (row,)).fetchone()
        if place is None:
            return None
        md5, start, size = place
        try:
            with self.history.object(md5).open("rb") as file:
                file.seek(start)
                line = json.loads(file.read(size))
        except (OSError, ValueError):
            return None
        return line["content"] if isinstance(line, dict) and line.get("id") == self.id(row) else None

    def contents_after(self, content: int, limit: int) -> list[tuple[int, int]]:
        """(number of the content, row) of the next rows that were added to the index, at most `limit`."""
        query = "SELECT content, row FROM contents WHERE content > ? ORDER BY content LIMIT ?"
        return self.db.execute(query, (content, limit)).fetchall()


def _kind(columns: Iterable[str]) -> str:
    return next((kind for kind, required in COLUMNS.items() if required <= set(columns)), "")


def _bitmap(numbers: Iterable[int]) -> bytes:
    """One bit for each number from 0 on, the lowest bit of a byte first."""
    import numpy as np

    indices = np.fromiter(numbers, np.int64)
    bits = np.zeros(indices.max(initial=-1) + 1, np.uint8)
    bits[indices] = 1
    return np.packbits(bits, bitorder="little").tobytes()


def _is_set(bitmap: bytes, number: int) -> bool:
    return number >> 3 < len(bitmap) and bool(bitmap[number >> 3] >> (number & 7) & 1)
