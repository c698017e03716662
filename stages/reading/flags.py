"""Flags: whether a value says yes or no, as JSON, tables and people write it."""

from typing import Any

FLAGS = {
    **dict.fromkeys(("true", "1", "1.0", "yes"), True),
    **dict.fromkeys(("false", "0", "0.0", "no"), False),  # 0.0: of a column with gaps in pandas
}


def flag(value: Any) -> bool | None:
    """What a flag says; None for a value that is none."""
    return FLAGS.get(str(value).strip().lower())
