"""What many rows share (instructions, documents), found by frequency: it tells nothing about what a row asks.

A question is taken apart into sentences and lines. One that `SHARED_ROWS` rows have is shared, and so is the longest
start of `START_WORDS` words or more that as many rows have: an instruction may go on to the question on one line. Where
more than `MOSTLY` a question is shared, it is compared with questions that share the same by the rest alone.
"""

from array import array
from collections.abc import Set
from typing import NamedTuple

import numpy as np

SHARED_ROWS = 10
MOSTLY = 0.75  # of the characters of a question: up to there unlike rests keep two questions unlike
START_WORDS, STEP = 16, 4  # of a start: templates share shorter ones
LONG_CHARS = 120  # of a sentence or line with starts: in shorter ones unlike rests keep questions unlike
ENDS = ".!?:;"  # of sentences


class SharedText(NamedTuple):
    """Which rows have a question that is mostly shared, and by what."""

    units: Set[int]  # hashes of the sentences and lines, and of starts of them, that are shared
    mostly: np.ndarray  # (rows,) bool

    def rest(self, question: str) -> str:
        """A question without what is shared."""
        rests = (unit[len(self._shared_part(unit)) :].strip() for unit in units(question))
        return "\n".join(rest for rest in rests if rest)

    def shared(self, question: str) -> int:
        """A number that is the same for questions that share the same."""
        return hash(tuple(part for unit in units(question) if (part := self._shared_part(unit)))) or 1

    def _shared_part(self, unit: str) -> str:
        if hash(unit) in self.units:
            return unit
        return next((start for start in reversed(starts(unit)) if hash(start) in self.units), "")


class UnitCounter:
    """Counts sentences and lines of questions, and their starts. Memory: some 20 bytes for each."""

    def __init__(self) -> None:
        self._hashes, self._chars, self._ends = array("q"), array("i"), array("q")
        self._of = array("q")  # the number of the unit of which it is a start, or of itself
        self._units = 0

    def add(self, question: str) -> None:
        parts: dict[str, int] = {}  # each is counted once for a question
        for number, unit in enumerate(dict.fromkeys(units(question)), self._units):
            for part in starts(unit):
                parts.setdefault(part, number)
            parts[unit] = number
            self._units += 1
        self._hashes.extend(map(hash, parts))
        self._chars.extend(map(len, parts))
        self._of.extend(parts.values())
        self._ends.append(self._units)

    def shared(self, least: int = SHARED_ROWS) -> SharedText:
        """What at least `least` of the questions share."""
        hashes, chars = np.array(self._hashes, np.int64), np.array(self._chars, np.int64)
        ends, of = np.array(self._ends, np.int64), np.array(self._of, np.int64)
        values, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        often = counts >= least
        whole, shared = np.zeros(self._units, np.int64), np.zeros(self._units, np.int64)  # characters of units
        np.maximum.at(whole, of, chars)
        np.maximum.at(shared, of, np.where(often[inverse], chars, 0))
        totals = [np.r_[0, np.cumsum(part)] for part in (whole, shared)]
        of_question = [np.diff(np.r_[0, total[ends]]) for total in totals]
        return SharedText(frozenset(values[often].tolist()), of_question[1] > MOSTLY * of_question[0])


def units(question: str) -> list[str]:
    """The sentences and lines of a question."""
    for end in ENDS:
        question = question.replace(f"{end} ", f"{end}\n")
    return [unit for line in question.split("\n") if (unit := line.strip())]


def starts(unit: str) -> list[str]:
    """Starts of `START_WORDS` words and more, shorter than the unit itself, the shortest first."""
    words = unit.split(" ") if len(unit) > LONG_CHARS else []
    return [" ".join(words[:count]) for count in range(START_WORDS, len(words), STEP)]
