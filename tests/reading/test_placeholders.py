"""A placeholder is no answer and no label: the record is one without an answer, and counted so."""

from typing import Any

import pytest

from stages.params.data import FileRule
from stages.reading.record_reader import RecordReader
from stages.reading.rejection import RejectedRecord

LABEL = FileRule("*", "alpaca", {"instruction": "a", "input": "b", "output": "label"}, [])
ANSWER = FileRule("*", "qa", {"question": "q", "answer": "result"}, [])


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        *(({"text": "a", "label": label}, None) for label in (-1, -1.0, "-1", "N/A", "?", "[deleted]", "-", "nan", "")),
        *(({"question": "a", "answer": answer}, None) for answer in ("N/A", " [Deleted]\n", "[removed]", "?", "#N/A")),
        ({"prompt": "a", "chosen": "[deleted]", "rejected": "b"}, None),
        ({"prompt": "a", "completion": "N/A", "label": True}, None),
        *(({"a": "x", "b": "y", "label": label}, LABEL) for label in (-1, "-1", "-")),
        ({"question": "a", "choices": ["x", "y"], "answer": -1}, None),
    ],
)  # fmt: skip
def test_a_record_with_a_placeholder_has_no_answer(record: dict[str, Any], rule: FileRule | None) -> None:
    with pytest.raises(RejectedRecord) as error:
        RecordReader(rule, None).read(record)

    assert error.value.reason == "empty_answer"


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        *(({"text": "a", "label": label}, None) for label in (0, 1, "none", "N", False, ["-1"])),
        *(
            ({"question": "a", "answer": answer}, None)
            for answer in ("-1", "-", "None", "Really?", "NaN", "nan", "NaN is no number")
        ),
        ({"prompt": "a", "chosen": "b", "rejected": "N/A"}, None),
        ({"prompt": "a", "completion": "N/A", "label": False}, None),
        ({"q": "What is 1 - 2?", "result": -1}, ANSWER),
        ({"a": "x", "b": "y", "label": 0}, LABEL),
    ],
)
def test_what_may_be_an_answer_is_one(record: dict[str, Any], rule: FileRule | None) -> None:
    contents, _ = RecordReader(rule, None).read(record)

    assert contents
