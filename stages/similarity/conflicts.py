"""Rows that conflict: like questions, like system prompts, the same tools, and answers that do not agree."""

from pathlib import Path

import numpy as np

from stages.similarity.comparison import ANSWER, REJECTED, SYSTEM, Comparison
from stages.similarity.near import SimilarPairs


def find(kind: str, comparison: Comparison, memo: Path | None) -> SimilarPairs:
    """Pairs of rows of a kind that conflict; the similarity of their questions.

    Chats: another answer. Pairs: one prefers what the other rejects. Judged answers: the same one, found good and bad.
    Texts have no question.
    """
    if kind == "text" or not len(comparison):
        return SimilarPairs(np.empty((0, 2), np.int64), np.empty(0))
    pairs, similarities = comparison.like_questions(memo)
    threshold = comparison.params.threshold

    def differ(part: np.ndarray) -> np.ndarray:
        return part[pairs[:, 0]] != part[pairs[:, 1]]

    like_answers = comparison.compare(pairs, ANSWER) >= threshold
    if kind == "judged":
        conflicting = like_answers & differ(comparison.good)
    elif kind == "pair":
        swapped = (comparison.compare(part, ANSWER, REJECTED) >= threshold for part in (pairs, pairs[:, ::-1]))
        conflicting = np.logical_or(*swapped)
    else:
        conflicting = ~like_answers | differ(comparison.answers) | ~comparison.same_numbers(pairs)
    conflicting &= ~differ(comparison.contexts) & (comparison.compare(pairs, SYSTEM) >= threshold)
    return SimilarPairs(pairs[conflicting], similarities[conflicting])
