"""Labels of answers beside the expected ones, for answers that are JSON objects with a field for the label."""

import json
from collections import Counter
from typing import Any

from stages.answers import reply
from stages.answers.json_answer import equal, fields, parse
from stages.evaluating import scoring

NO_LABEL = "(no label)"


def label_pairs(answers: list[scoring.Answer], label: str | None) -> list[tuple[str, str]]:
    """(expected, answered label) of every answer whose expected one has the field `label`; equal if they match."""
    read = [tuple(fields(reply.parse(text, []).text).get(label) for text in (a.expected, a.answer)) for a in answers]
    return [(_shown(e), _shown(e if equal(e, a) else a)) for e, a in read if e is not None]


def _shown(label: Any) -> str:
    """A label as JSON, but for texts that are no JSON themselves: `refund`, `1`, and `"1"` for a text."""
    if label is None:
        return NO_LABEL
    return label if isinstance(label, str) and parse(label) is None else json.dumps(label, ensure_ascii=False)


def confusions(answers: list[scoring.Answer], label: str) -> list[tuple[str, str, int, int]]:
    """(expected label, answered label, rows, rows with the expected label) of wrong labels, most rows first."""
    pairs = label_pairs(answers, label)
    totals = Counter(expected for expected, _ in pairs)
    wrong = Counter(pair for pair in pairs if pair[0] != pair[1])
    return sorted(((*pair, n, totals[pair[0]]) for pair, n in wrong.items()), key=lambda row: (-row[2], row[:2]))
