"""What stands where an answer or a label is missing: such a row has none."""

from typing import Any

ANSWERS = ("n/a", "#n/a", "<na>", "nan", "[deleted]", "[removed]", "?")  # in lower case
LABELS = (*ANSWERS, "-1", "-1.0", "-")  # -1: of `datasets`; -: of SNLI, where annotators disagree
NAMES = ("label", "labels", "gold_label", "category", "class")  # of fields in which these are labels


def no_answer(text: str) -> bool:
    """True for a text that says that there is no answer."""
    return len(text) < 16 and text.strip().lower() in ANSWERS


def no_label(value: Any) -> bool:
    """True for a label that says that there is none."""
    return not isinstance(value, bool | list | dict) and str(value).strip().lower() in LABELS


def told(name: str, value: Any) -> str:
    """Why a label is none."""
    return f"{name} {value!r} stands for none" if str(value).strip() else f"the {name} is empty"
