"""What many rows share (instructions, documents), found by frequency: it tells nothing about what a row asks.

A question is taken apart into sentences and lines. One that `SHARED_ROWS` rows have is shared. Where more than `MOSTLY`
a question is shared, it is compared with questions that share the same by the rest alone.
"""

from array import array
from collections.abc import Set
from typing import NamedTuple

import numpy as np

SHARED_ROWS = 10
MOSTLY = 0.75  # of the characters of a question: up to there unlike rests keep two questions unlike
ENDS = ".!?:;"  # of sentences


class SharedText(NamedTuple):
    """Which rows have a question that is mostly shared, and by what."""

    units: Set[int]  # hashes of the sentences and lines that are shared
    mostly: np.ndarray  # (rows,) bool

    def rest(self, question: str) -> str:
        """A question without what is shared."""
        return "\n".join(unit for unit in units(question) if hash(unit) not in self.units)

    def shared(self, question: str) -> int:
        """A number that is the same for questions that share the same."""
        return hash(tuple(h for h in map(hash, units(question)) if h in self.units)) or 1


class UnitCounter:
    """Counts sentences and lines of questions. Memory: some 12 bytes a sentence."""

    def __init__(self) -> None:
        self._hashes, self._chars, self._ends = array("q"), array("i"), array("q")

    def add(self, question: str) -> None:
        for unit in dict.fromkeys(units(question)):
            self._hashes.append(hash(unit))
            self._chars.append(len(unit))
        self._ends.append(len(self._hashes))

    def shared(self, least: int = SHARED_ROWS) -> SharedText:
        """What at least `least` of the questions share."""
        hashes, chars = np.array(self._hashes, np.int64), np.array(self._chars, np.int64)
        ends = np.array(self._ends, np.int64)
        values, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        often = counts >= least
        totals = [np.r_[0, np.cumsum(part)] for part in (chars, np.where(often[inverse], chars, 0))]
        whole, shared = (np.diff(np.r_[0, total[ends]]) for total in totals)
        return SharedText(frozenset(values[often].tolist()), shared > MOSTLY * whole)


def units(question: str) -> list[str]:
    """The sentences and lines of a question."""
    for end in ENDS:
        question = question.replace(f"{end} ", f"{end}\n")
    return [unit for line in question.split("\n") if (unit := line.strip())]
