"""What stands where an answer or a label is missing: such a row has none."""

from typing import Any

from stages.rows.parts import split
from stages.rows.row import Content, Judged

ANSWERS = ("n/a", "#n/a", "<na>", "[deleted]", "[removed]", "?")  # in lower case; NaN answers "What is 0/0?"
LABELS = (*ANSWERS, "nan", "-1", "-1.0", "-")  # -1: of `datasets`; -: of SNLI, where annotators disagree
NAMES = ("label", "labels", "gold_label", "category", "class")  # of fields in which these are labels


def problem(content: Content) -> tuple[str, str] | None:
    """(reason, detail) if the answer to learn stands for none; a bad one may say so."""
    answer = (
        "" if isinstance(content, Judged) and not content.good else "".join(m.content for m in split(content).answer)
    )
    is_none = len(answer) < 16 and answer.strip().lower() in ANSWERS
    return ("empty_answer", told("answer", answer)) if is_none else None


def no_label(value: Any) -> bool:
    """True for a label that says that there is none."""
    return not isinstance(value, bool | list | dict) and str(value).strip().lower() in LABELS


def told(name: str, value: Any) -> str:
    """Why a label is none."""
    return f"{name} {value!r} stands for none" if str(value).strip() else f"the {name} is empty"
