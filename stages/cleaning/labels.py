"""Labels: how many rows each has, and which go where one has too many."""

from collections import Counter
from typing import Any

from stages.evaluating.json_answer import fields
from stages.params.cleaning import Labels
from stages.rows.row import Chat, Row


def label(row: Row, params: Labels) -> str | None:
    """The label that a chat's answer gives: a field of its JSON, or the whole answer; None where it gives none."""
    if not isinstance(row.content, Chat):
        return None
    answer = row.content.messages[-1].content
    if params.field is None:
        found: Any = answer
    else:
        found = fields(answer).get(params.field)
    if found is None or isinstance(found, dict | list) or len(str(found)) > params.max_chars:
        return None
    return str(found)


def over(labels: dict[str, str], given: set[str], params: Labels) -> dict[str, str]:
    """{id: label} of the rows that are too many of their label: those with the largest ids, which are hashes.

    Rows that their source gave to val or test are not counted, and stay.
    """
    if params.max_rows is None:
        return {}
    seen: Counter[str] = Counter()
    found = {}
    for row in sorted(labels.keys() - given):
        seen[labels[row]] += 1
        if seen[labels[row]] > params.max_rows:
            found[row] = labels[row]
    return found


def balance(labels: dict[str, str], params: Labels) -> dict[str, Any]:
    """{field, rows, largest_share, counts: {label: rows}}, the largest first."""
    counts = sorted(Counter(labels.values()).items(), key=lambda item: (-item[1], item[0]))
    largest = round(counts[0][1] / len(labels), 4) if counts else 0.0
    return {"field": params.field, "rows": len(labels), "largest_share": largest, "counts": dict(counts)}
