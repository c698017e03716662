"""Labels of rows: reading, counting and capping them."""

from collections import Counter
from typing import Any

from stages.answers.json_answer import fields
from stages.params.cleaning import Labels
from stages.rows import parts
from stages.rows.row import Row


def label(row: Row, params: Labels) -> str | None:
    """The label of a chat: a field of its answer's JSON, or the whole answer; None if there is none, as in a call."""
    if row.kind != "chat":
        return None
    answer = parts.split(row.content).answer[-1].content.strip()
    value: Any = answer or None if params.field is None else fields(answer).get(params.field)
    if value is None or isinstance(value, dict | list) or len(str(value)) > params.max_chars:
        return None
    return str(value)


def rows_over_cap(labels: dict[str, str], exempt: set[str], params: Labels) -> dict[str, str]:
    """{id: label} of the rows beyond `max_rows` of their label: those with the largest ids, which are hashes.

    Args:
        labels: {id: label}.
        exempt: ids of rows that their source gave to val or test: they stay and are not counted.
    """
    if params.max_rows is None:
        return {}
    counts: Counter[str] = Counter()
    over = {}
    for id in sorted(labels.keys() - exempt):
        counts[labels[id]] += 1
        if counts[labels[id]] > params.max_rows:
            over[id] = labels[id]
    return over


def balance(labels: dict[str, str], params: Labels) -> dict[str, Any]:
    """{field, rows, largest_share, counts: {label: rows}}, the largest first."""
    counts = sorted(Counter(labels.values()).items(), key=lambda item: (-item[1], item[0]))
    largest = round(counts[0][1] / len(labels), 4) if counts else 0.0
    return {"field": params.field, "rows": len(labels), "largest_share": largest, "counts": dict(counts)}
