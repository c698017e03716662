"""ROUGE-L: F1 of the longest common subsequence of words, the mean over answers.

For texts in ASCII the values are those of rouge-score 0.1.2 without stemming. To that a word is of a-z and 0-9, so
texts in Cyrillic have none; here words are those of any script (stages/evaluating/words.py).
"""

from collections.abc import Sequence

from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric, Statistics
from stages.evaluating.words import words
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "Lin 2004, ROUGE, W04-1013")


def usable(expected: Reply, suite: Suite) -> bool:
    return bool(words(expected.text))


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, Statistics]:
    if expected.calls:
        return {"rouge_l": (0.0, 0.0)}
    wanted, given = words(expected.text), words(answer.text)
    f1 = 2 * longest_common_subsequence(wanted, given) / (len(wanted) + len(given)) if wanted or given else 0.0
    return {"rouge_l": (round(f1, 6), 1.0)}


def longest_common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    """Its length, by bits: a row of the usual table is one number, in which a 0 is a step (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for place, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << place
    whole = (1 << len(a)) - 1
    row = whole
    for word in b:
        matches = row & places.get(word, 0)
        row = ((row + matches) | (row - matches)) & whole
    return len(a) - row.bit_count()
