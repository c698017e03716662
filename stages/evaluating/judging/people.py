"""What people are shown of answers, in which order, and which of their marks count."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import NamedTuple

import msgspec

from stages.evaluating.scoring import Answer
from stages.params.judging import Pairwise, Rubric
from stages.reporting import reviews
from stages.rows.row import content_id

CHOICES = reviews.CHOICES  # marks of a pair: which side is better


class Shown(NamedTuple):
    """An answer that people mark, or a pair of which they choose one."""

    id: str
    rows: list[int]  # those that have this question, answer and expected answer; or this question and pair
    first: str  # of a pair the side on which the model's answer is, left or right; "" of an answer


def shown(rubric: Rubric, own: Sequence[Answer], others: Sequence[Answer], seed: int) -> list[Shown]:
    """All that can be judged, in the order in which people see it: that of a hash, so that any part of it that begins
    at its begin is a random sample. Equal answers of a pair are not shown.
    """
    rows: dict[tuple[str, ...], list[int]] = {}
    if isinstance(rubric, Pairwise):
        for row, (a, b) in enumerate(zip(own, others, strict=True)):
            rows.setdefault((a.prompt, a.answer, b.answer), []).append(row)
        result = []
        for pair in reviews.pairs(own, others, seed):
            answers = (pair.left, pair.right) if pair.first == "left" else (pair.right, pair.left)
            result.append(Shown(pair.id, rows[pair.question, *answers], pair.first))
        return result
    for row, a in enumerate(own):
        rows.setdefault((a.prompt, a.answer, a.expected), []).append(row)
    ids = {content_id(msgspec.json.encode(key)): of_id for key, of_id in rows.items()}
    order = {id: hashlib.sha256(f"{seed}:{id}".encode()).digest() for id in ids}
    return [Shown(id, ids[id], "") for id in sorted(ids, key=order.__getitem__)]


def counted(all_shown: Iterable[Shown], marks: dict[str, str]) -> list[Shown]:
    """Those that people marked, up to the first that they did not.

    What comes after a gap was chosen by somebody, or is what remains of another build's answers: no random sample.
    """
    return list(takewhile(lambda item: item.id in marks, all_shown))


def majority(rubric: Rubric, marks: Sequence[str]) -> str:
    """The most common mark of several people; of several such of a pair equal, else the worst."""
    if isinstance(rubric, Pairwise):
        return reviews.majority(marks)
    counts = Counter(marks)
    return max(rubric.marks, key=lambda mark: (counts[mark], -rubric.marks.index(mark)))


def score(rubric: Rubric, mark: str, item: Shown) -> float:
    """The score of the model's answer, from 0 to 1, by people's mark."""
    if isinstance(rubric, Pairwise):
        return 0.5 if mark == "equal" else float(mark == item.first)
    return rubric.marks.index(mark) / (len(rubric.marks) - 1)
