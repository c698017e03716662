"""Rows that conflict: like questions, like system prompts, the same tools, and yet no duplicates of one another."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages.similarity.comparison import ANSWER, QUESTION, REJECTED, SYSTEM, Comparison
from stages.similarity.near import SimilarPairs


class Conflicts(NamedTuple):
    """Pairs of rows that conflict; the similarity of their questions."""

    other_answers: SimilarPairs  # the answers do not agree
    other_words: SimilarPairs  # the answers do, and by its letters each row could be a copy, but for a word that counts


def find(kind: str, comparison: Comparison, memo: Path | None) -> Conflicts:
    """Rows of a kind that conflict.

    Answers do not agree: of chats, where they do not say the same; of pairs, where one prefers what the other rejects;
    of judged answers, where the same one is found good and bad. Texts have no question.
    """
    if kind == "text" or not len(comparison):
        nothing = SimilarPairs(np.empty((0, 2), np.int64), np.empty(0))
        return Conflicts(nothing, nothing)
    pairs, similarities = comparison.like_questions(memo)
    threshold = comparison.params.threshold

    def differ(part: np.ndarray) -> np.ndarray:
        return part[pairs[:, 0]] != part[pairs[:, 1]]

    def like(side: int, other_side: int | None = None, swapped: bool = False) -> np.ndarray:
        return comparison.compare(pairs[:, ::-1] if swapped else pairs, side, other_side) >= threshold

    comparable = ~differ(comparison.contexts) & like(SYSTEM)
    pairs, similarities = pairs[comparable], similarities[comparable]
    alike = like(ANSWER) & like(REJECTED) & ~differ(comparison.answers)
    if kind == "judged":
        opposed = alike & differ(comparison.good)
    elif kind == "pair":
        opposed = like(ANSWER, REJECTED) | like(ANSWER, REJECTED, swapped=True)
    else:
        opposed = ~alike
        opposed[alike] = ~comparison.say_the_same(pairs[alike], [ANSWER])
    doubtful = alike & ~opposed & ~differ(comparison.good)
    doubtful[doubtful] = ~comparison.say_the_same(pairs[doubtful], [SYSTEM, QUESTION, ANSWER, REJECTED])
    return Conflicts(*(SimilarPairs(pairs[part], similarities[part]) for part in (opposed, doubtful)))
