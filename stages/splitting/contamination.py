"""Rows that an evaluation set gives away: runs of words that both have.

As GPT-3 was checked (Brown et al. 2020, "Language Models are Few-Shot Learners", appendix C): words in lower case,
signs left out, runs of some 13. A text of a set that is shorter is held against whole turns.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from modelmake.errors import UserError
from stages.params.data import Decontaminate
from stages.reading import files
from stages.rows.row import Row
from stages.rows.texts import content_texts

WORD = re.compile(r"\w+")


class Shared(NamedTuple):
    """The longest run of words that a text shares with a set."""

    evaluation: str  # file:line of what has its first words
    words: int
    span: str  # as the text has it


class Sets:
    """The texts of evaluation sets; memory holds each of their runs of words once."""

    def __init__(self, params: Decontaminate) -> None:
        self._words, self._least = params.words, params.min_words
        self._runs: dict[str, str] = {}  # run -> file:line that has it first
        self._whole: dict[str, str] = {}  # shorter text -> the same

    def __bool__(self) -> bool:
        return bool(self._runs or self._whole)

    def add(self, text: str, where: str) -> None:
        """Takes in a text."""
        found = words(text)
        if len(found) >= self._words:
            for run in runs(found, self._words):
                self._runs.setdefault(run, where)
        elif len(found) >= self._least:
            self._whole.setdefault(" ".join(found), where)

    def find(self, text: str) -> Shared | None:
        """What the text shares with a set."""
        found = words(text)
        if where := self._whole.get(" ".join(found)) if len(found) < self._words else None:
            return Shared(where, len(found), text.strip())
        best, first, last = (0, 0), 0, -2
        for place, run in enumerate(runs(found, self._words)):
            if run in self._runs:
                first, last = (first if place == last + 1 else place), place
                best = max(best, (last - first + self._words, -first))
        if not best[0]:
            return None
        length, start = best[0], -best[1]
        places = [match.span() for match in WORD.finditer(text)][start : start + length]
        where = self._runs[" ".join(found[start : start + self._words])]
        return Shared(where, length, text[places[0][0] : places[-1][1]])


def words(text: str) -> list[str]:
    return [word.lower() for word in WORD.findall(text)]


def runs(found: Sequence[str], length: int) -> Iterator[str]:
    """Every run of so many words."""
    for start in range(len(found) - length + 1):
        yield " ".join(found[start : start + length])


def read(folder: Path, params: Decontaminate) -> Sets:
    """The evaluation sets below a folder: every text in every record, whatever its field.

    Raises:
        UserError: a file cannot be read, or a record of it.
    """
    sets = Sets(params)
    if any(file.is_file() and not file.name.startswith(".") for file in folder.rglob("*")):
        for file in files.files(folder, []):
            for record in files.read(file.path, file.name):
                if isinstance(record, files.Broken):
                    raise UserError(f"{file.path}:{record.line}: {record.reason}: {record.why}: mend the set")
                for text in _texts(record.value):
                    sets.add(text, f"{file.name}:{record.line}")
    return sets


def find(row: Row, sets: Sets) -> Shared | None:
    """What of a row's texts the one shares that shares most."""
    shared = [match for text in content_texts(row.content) if (match := sets.find(text))]
    return max(shared, key=lambda match: match.words, default=None)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
