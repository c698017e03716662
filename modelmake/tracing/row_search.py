"""The rows that a question is about: the row with an id, at a place or with a text, its versions, and similar rows."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from modelmake.domain import Criterion, Similarity
from modelmake.errors import UserError
from modelmake.tracing.history import History
from modelmake.tracing.row_index import Fact, RowIndex

PLACE = re.compile(r"(.+):([1-9]\d*)")


@dataclass(frozen=True)
class Match:
    relation: str  # to the question
    similarity: dict[Criterion, float] | None = None  # {criterion that it meets}; None: a match by any criterion

    @property
    def certain(self) -> bool:
        """The row itself, a version of it, or its recorded duplicate: it matches in every build."""
        return self.similarity is None


class RowSearch:
    """The search for one question. Its results are attributes.

    Raises:
        UserError: no build has such a row.
    """

    def __init__(self, root: Path, question: str, here: Path, index: RowIndex, similarity: Similarity) -> None:
        self.root, self.question, self.here = root, question, here
        self.history: History = index.history
        self.index, self.similarity = index, similarity
        self.matches: dict[int, Match] = {}  # by row
        self.rejected: list[Fact] = []  # records at that place, or with that text, that became no row
        self.without_content: set[int] = set()  # rows that may be similar, but whose content is not in the cache
        self.other_builds: dict[str, int] = {}  # {row at that place in other builds: number of builds}
        self._search()
        if not self.matches and not self.rejected:
            raise UserError(self._no_match())

    @property
    def certain(self) -> list[int]:
        """The rows whose match is certain."""
        return [row for row, match in self.matches.items() if match.certain]

    def matches_in(self, build: str) -> frozenset[int]:
        """The rows that match by the criterion of a build."""
        criterion = self.criteria[build]
        return frozenset(
            row for row, match in self.matches.items() if match.certain or criterion in (match.similarity or {})
        )

    @cached_property
    def criteria(self) -> dict[str, Criterion]:
        """{build: its criterion for near-duplicates}."""
        stages = self.history.stages
        by_stage = {number: self.similarity.criteria(stage.record.get("params")) for number, stage in stages.items()}
        return {
            build: self.similarity.loosest(set().union(*(by_stage[stage.number] for stage in stages)))
            for build, stages in self.history.builds.items()
            if stages
        }

    def _search(self) -> None:
        place = PLACE.fullmatch(self.question)
        if row := self.index.row(self.question):
            self.matches[row] = Match("the row")
        elif place and (facts := self._facts_at(*place.groups())):
            self._match_place(facts)
        else:
            self._match_text()
        self._add_versions()
        family = self.certain
        self._add_duplicates(family)
        if place or self.index.row(self.question):
            self._add_similar(family)

    def _facts_at(self, file: str, line: str) -> list[Fact]:
        """The facts of any build about a place; the file may be named from here, from the root or from its folder."""
        path = (self.here / file).resolve()
        names = {file, path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else file}
        facts = {}
        for name in names:
            condition = "line = ? AND (file = ? OR substr(?, -length(file) - 1) = '/' || file)"
            facts |= {fact.number: fact for fact in self.index.facts(condition, int(line), name, name)}
        return list(facts.values())

    def _match_place(self, facts: list[Fact]) -> None:
        """Matches the rows at a place in the newest build that has some there."""
        by_number = {fact.number: fact for fact in facts}
        tables = self.index.tables_with("source", by_number) | self.index.tables_with("rejected", by_number)
        files = {number: self.history.files(stage).values() for number, stage in self.history.stages.items()}
        newest: list[Fact] = []
        for stages in self.history.builds.values():
            here = [by_number[n] for s in stages for md5 in files[s.number] for n in tables.get(md5, [])]
            if not newest:
                newest = here
                self.rejected = [fact for fact in here if fact.kind == "rejected"]
                self.matches = {fact.row: Match("at this place") for fact in here if fact.kind == "source"}
            for fact in here:
                if fact not in newest:
                    name = self.index.id(fact.row) if fact.row else "(a rejected record)"
                    self.other_builds[name] = self.other_builds.get(name, 0) + 1

    def _match_text(self) -> None:
        """Matches rows with this text or a similar one, and rejected records in which it occurs."""
        for row, similarity in self._similar(self.question).items():
            equal = max(similarity.values()) == 1.0
            self.matches[row] = Match("has this text") if equal else Match("near-duplicate", similarity)
        # details are JSON, and the `found` of a record may be JSON in it
        spellings = [json.dumps(self.question, ensure_ascii=ascii)[1:-1] for ascii in (True, False)]
        spellings += [json.dumps(text)[1:-1] for text in spellings]
        condition = " OR ".join(["instr(details, ?)"] * len(spellings))
        self.rejected = self.index.facts(f"kind = 'rejected' AND ({condition})", *spellings)

    def _add_versions(self) -> None:
        """Adds the rows that the matches were made from, and those that were made from them."""
        for start in self.certain:
            self._follow(start, "row", lambda fact: fact.related, "before")
            self._follow(start, "related", lambda fact: fact.row, "after")

    def _follow(self, start: int, column: str, step: Callable[[Fact], int], when: str) -> None:
        queue = [start]
        while queue:
            for fact in self.index.facts(f"kind = 'parent' AND {column} = ?", queue.pop()):
                if step(fact) not in self.matches:
                    details = " ".join(str(value) for value in fact.details.values())
                    relation = f"{when} a stage changed it" + (f" ({details})" if details else "")
                    self.matches[step(fact)] = Match(relation)
                    queue.append(step(fact))

    def _add_duplicates(self, family: list[int]) -> None:
        """Adds the rows that tables of dropped rows record as duplicates."""
        for row in family:
            for fact in self.index.facts("kind = 'drop' AND related != 0 AND (row = ? OR related = ?)", row, row):
                relation = f"{fact.details['reason']}{_percent(fact.details)} of {self.index.id(row)}"
                if fact.row == row:
                    self.matches.setdefault(fact.related, Match(f"kept instead: {relation}"))
                else:
                    self.matches.setdefault(fact.row, Match(relation))

    def _add_similar(self, family: list[int]) -> None:
        """Adds near-duplicates in any build, recorded or not: rows that were never in one build were never compared."""
        for row in family:
            text = self.similarity.text(self.index.content(row))
            for other, similarity in self._similar(text).items() if text else ():
                self.matches.setdefault(other, Match("near-duplicate", similarity))

    def _similar(self, text: str) -> dict[int, dict[Criterion, float]]:
        criteria = set(self.criteria.values()) or {self.similarity.loosest([])}
        rows, without_content = self.similarity.similar(text, self.index, criteria)
        self.without_content |= without_content
        return rows

    def _no_match(self) -> str:
        place = PLACE.fullmatch(self.question)
        if place:
            name = Path(place[1]).name
            facts = self.index.facts("line < ? AND (file = ? OR file LIKE '%/' || ?)", int(place[2]), name, name)
            if facts:
                last = max(fact.line for fact in facts)
                return f"{self.question}: no record of any build begins there: the last before it begins on line {last}"
        return (
            f"{self.question[:60]!r}: no build has this row or a similar one: want an id, FILE:LINE of raw data or the "
            "text of a row; tables that are not in the cache cannot be asked (`dvc fetch --all-commits` brings them)"
        )


def _percent(details: dict[str, Any]) -> str:
    return f" ({details['similarity']})" if "similarity" in details else ""
