"""Labels of answers beside the expected ones, for answers that are JSON objects with a field for the label."""

from collections import Counter

from stages.evaluating import scoring
from stages.evaluating.json_answer import fields

NO_LABEL = "(no label)"


def label_pairs(answers: list[scoring.Answer], label: str | None) -> list[tuple[str, str]]:
    """(expected label, answered label) of every answer whose expected one has the field `label`."""
    values = [(fields(a.expected).get(label), fields(a.answer).get(label)) for a in answers]
    return [(str(e), NO_LABEL if a is None else str(a)) for e, a in values if e is not None]


def confusions(answers: list[scoring.Answer], label: str) -> list[tuple[str, str, int, int]]:
    """(expected label, answered label, rows, rows with the expected label) of wrong labels, most rows first."""
    pairs = label_pairs(answers, label)
    totals = Counter(expected for expected, _ in pairs)
    wrong = Counter(pair for pair in pairs if pair[0] != pair[1])
    return sorted(((*pair, n, totals[pair[0]]) for pair, n in wrong.items()), key=lambda row: (-row[2], row[:2]))
