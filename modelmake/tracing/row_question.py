"""Which rows a question is about, and what the tables of every stage say of them."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from modelmake.domain import Domain, Near
from modelmake.errors import UserError
from modelmake.tracing.history import Entry, History
from modelmake.tracing.lineage import TABLES, Lineage
from modelmake.tracing.row_index import Fact, RowIndex

PLACE = re.compile(r"(.+):([1-9]\d*)")


@dataclass
class Kin:
    """A row that the question is about: itself, what it was before or became, or one like it."""

    relation: str
    similarity: dict[int, float] | None = None  # by characters of a shingle; None: alike whatever a build calls near


class Seen(NamedTuple):
    """What the tables of one stage say of the rows in question."""

    consumed: frozenset[int]
    records: bool  # it records which rows it consumed
    held: dict[str, frozenset[int]]  # file -> rows
    gives: bool  # it makes files of rows
    stated: list[tuple[str, Fact]]  # table, what it says
    unread: list[str]  # tables that the cache does not have


class Question:
    """A row, and what the index has of it."""

    def __init__(self, root: Path, asked: str, here: Path, past: History, domain: Domain) -> None:
        self.root, self.asked, self.here, self.past = root, asked, here, past
        self.lineage, self.index = Lineage(past, domain.model_suffixes), RowIndex(past)
        self.similarity = domain.similarity
        self.kin: dict[int, Kin] = {}
        self.refused: list[Fact] = []  # records at that place, or with that text, that became no row
        self.gone: set[int] = set()  # rows that may be alike, but whose text is not in the cache
        self.elsewhen: dict[str, int] = {}  # rows that stood at that place in other builds, in how many
        self._lists: dict[str, dict[str, set[str]]] = {}
        self._near = {
            number: self.similarity.criterion([entry.content.get("params")]) for number, entry in past.entries.items()
        }
        self._ask()
        if not self.kin and not self.refused:
            raise UserError(self._nothing())

    def near(self, build: str) -> Near:
        """What a build calls near-duplicates."""
        return min(self._near[entry.number] for entry in self.past.builds[build])

    def _ask(self) -> None:
        place = PLACE.fullmatch(self.asked)
        if number := self.index.number(self.asked):
            self.kin[number] = Kin("the row")
        elif place and (facts := self._standing(*place.groups())):
            self._stood(facts)
        else:
            for row, similarity in self._similar(self.asked).items():
                equal = max(similarity.values()) == 1.0
                self.kin[row] = Kin("says this text", None) if equal else Kin("near-duplicate", similarity)
            spelt = [json.dumps(self.asked, ensure_ascii=ascii)[1:-1] for ascii in (True, False)]
            condition = " OR ".join(["instr(told, ?)"] * 4)
            escaped = [json.dumps(text)[1:-1] for text in spelt]  # `found` is text of JSON, within JSON
            self.refused = self.index.facts(f"kind = 'rejected' AND ({condition})", *spelt, *escaped)
        self._family()

    def _similar(self, text: str) -> dict[int, dict[int, float]]:
        found, gone = self.similarity.similar(text, self.index, self.nears)
        self.gone |= gone
        return found

    @cached_property
    def nears(self) -> set[Near]:
        return {self.near(build) for build, entries in self.past.builds.items() if entries} or {
            self.similarity.criterion([])
        }

    def _standing(self, file: str, line: str) -> list[Fact]:
        asked = (self.here / file).resolve()
        names = {file, asked.relative_to(self.root).as_posix() if asked.is_relative_to(self.root) else file}
        found = {}
        for name in names:
            condition = "line = ? AND (file = ? OR substr(?, -length(file) - 1) = '/' || file)"
            found.update({fact.number: fact for fact in self.index.facts(condition, int(line), name, name)})
        return list(found.values())

    def _stood(self, facts: list[Fact]) -> None:
        """The rows that stand there in the newest build that has something there."""
        by_number = {fact.number: fact for fact in facts}
        tables = self.index.tables("source", by_number) | self.index.tables("rejected", by_number)
        rows: list[Fact] = []
        for entries in self.past.builds.values():
            has = [by_number[n] for e in entries for md5 in self.files[e.number].values() for n in tables.get(md5, [])]
            if not rows:
                rows = has
                self.refused = [fact for fact in has if fact.kind == "rejected"]
                self.kin = {fact.row: Kin("stands there") for fact in has if fact.kind == "source"}
            for fact in has:
                if fact not in rows:
                    name = self.index.id(fact.row) if fact.row else "(a refused record)"
                    self.elsewhen[name] = self.elsewhen.get(name, 0) + 1

    def _family(self) -> None:
        """Adds what the rows were before and what they became; rows recorded as alike; rows that are alike."""
        roots = [row for row, kin in self.kin.items() if kin.similarity is None]
        for start in roots:
            self._follow(start, "row", lambda fact: fact.other, "before")
            self._follow(start, "other", lambda fact: fact.row, "after")
        family = [row for row, kin in self.kin.items() if kin.similarity is None]
        for row in family:
            for fact in self.index.facts("kind = 'drop' AND other != 0 AND (row = ? OR other = ?)", row, row):
                other = fact.other if fact.row == row else fact.row
                told = f"{fact.told['reason']}{_percent(fact.told)} of {self.index.id(row)}"
                self.kin.setdefault(other, Kin(told if fact.other == row else f"stands for it: {told}"))
        if self.index.number(self.asked) or PLACE.fullmatch(self.asked):
            for row in family:
                text = self.similarity.text(self.index.content(row))
                for other, similarity in self._similar(text).items() if text else ():
                    self.kin.setdefault(other, Kin("near-duplicate", similarity))

    def _follow(self, start: int, column: str, step: Callable[[Fact], int], when: str) -> None:
        queue = [start]
        while queue:
            for fact in self.index.facts(f"kind = 'parent' AND {column} = ?", queue.pop()):
                if step(fact) not in self.kin:
                    rest = " ".join(str(value) for value in fact.told.values())
                    self.kin[step(fact)] = Kin(f"{when} a stage changed it" + (f" ({rest})" if rest else ""))
                    queue.append(step(fact))

    def _nothing(self) -> str:
        place = PLACE.fullmatch(self.asked)
        if place:
            name = Path(place[1]).name
            facts = self.index.facts("line < ? AND (file = ? OR file LIKE '%/' || ?)", int(place[2]), name, name)
            if facts:
                before = max(fact.line for fact in facts)
                return f"{self.asked}: no record of any build begins there: the last before it begins on line {before}"
        return (
            f"{self.asked[:60]!r}: no build has such a row, nor one like it: want an id, FILE:LINE of raw data or the "
            "text of a row; tables that are not in the cache cannot be asked (`dvc fetch --all-commits` brings them)"
        )

    @cached_property
    def files(self) -> dict[int, dict[str, str]]:
        """{entry: {path: md5}}."""
        return {number: self.past.files(entry) for number, entry in self.past.entries.items()}

    def left_out(self, entry: Entry, row: int) -> list[tuple[str, str]]:
        """(file, name of the list) where a training step's own reports name a row: it read and did not consume it."""
        id = self.index.id(row)
        return [
            (path, name)
            for path, md5 in entry.outs.items()
            if path.endswith(".json")
            for name, ids in self._listed(md5).items()
            if id in ids
        ]

    def _listed(self, md5: str) -> dict[str, set[str]]:
        if md5 not in self._lists:
            report = json.loads(self.past.read(md5) or "{}")
            found = report.items() if isinstance(report, dict) else ()
            self._lists[md5] = {
                name: set(ids) for name, ids in found if isinstance(ids, list) and all(isinstance(i, str) for i in ids)
            }
        return self._lists[md5]

    def unread_deps(self, entry: Entry) -> list[str]:
        """Tables that a stage read and that the cache does not have."""
        return [path for path, md5 in entry.deps.items() if path.endswith((*TABLES,)) and md5 not in self.kinds]

    @cached_property
    def kinds(self) -> dict[str, str]:
        """{md5: kind} of every table that the index has read."""
        return self.index.kinds()

    @cached_property
    def seen(self) -> dict[int, Seen]:
        """{entry: what its tables say}."""
        kinds, rows = self.kinds, self.kin.keys()
        subjects = [row for row, kin in self.kin.items() if kin.similarity is None] or list(rows)
        condition = "kind IN ('source', 'drop') AND row IN (SELECT value FROM json_each(?))"
        facts = {fact.number: fact for fact in self.index.facts(condition, json.dumps(subjects))}
        facts |= {fact.number: fact for fact in self.refused}
        consumed, held = self.index.tables("consumed", rows), self.index.tables("rows", rows)
        stating = {
            md5: n for kind in ("source", "drop", "rejected") for md5, n in self.index.tables(kind, facts).items()
        }
        return {
            number: Seen(
                consumed=frozenset(row for md5 in files.values() for row in consumed.get(md5, [])),
                records=any(kinds.get(md5) == "consumed" for md5 in files.values()),
                held={path: frozenset(held[md5]) for path, md5 in files.items() if md5 in held},
                gives=any(kinds.get(md5) == "rows" for md5 in files.values()),
                stated=[(path, facts[n]) for path, md5 in files.items() for n in stating.get(md5, [])],
                unread=[path for path, md5 in files.items() if self._unread(path, md5)],
            )
            for number, files in self.files.items()
        }

    def _unread(self, path: str, md5: str) -> bool:
        """Whether it may be a table, or have some in it, and the index could not read it."""
        known = not md5 or md5 in self.kinds or md5 in self.past.members
        return not known and self.lineage.may_hold_tables(path, md5)


def _percent(told: dict[str, Any]) -> str:
    return f" ({told['similarity']})" if "similarity" in told else ""
