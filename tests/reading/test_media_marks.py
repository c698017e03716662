"""A mark of a picture in a question stops as the picture does, until it is ignored by name; prose does not."""

from typing import Any

import pytest

from stages.params.data import FileRule
from stages.reading.record_reader import RecordReader

PICTURE = "an image, a sound or a film"


def asked(text: str) -> dict[str, Any]:
    return {"conversations": [{"from": "human", "value": text}, {"from": "gpt", "value": "A cat."}]}


@pytest.mark.parametrize(
    ("record", "mark"),
    [
        (asked("<image>\nWhat is it?"), "<image>"),
        (asked("What is it?\n<image>"), "<image>"),
        (asked("First: <image>\nSecond: <image>\nWhich?"), "<image>"),
        (asked("<|image_1|>\nWhat is it?"), "<image>"),
        (asked("<video>What is it?"), "<video>"),
        ({"text": "A cat.\n<image>\nIt sleeps."}, "<image>"),
    ],
)
def test_a_mark_stops_as_a_picture_does(record: dict[str, Any], mark: str) -> None:
    reader = RecordReader(None, None)
    reader.read(record)

    assert reader.unread.stops == {mark: PICTURE}
    ignoring = RecordReader(FileRule("*", None, None, [mark]), None)
    ignoring.read(record)
    assert ignoring.unread.stops == {}


@pytest.mark.parametrize(
    "record",
    [
        asked("What does the <image> tag do?"),
        asked("Mend it:\n<image>\n<url>x</url>\n</image>"),
        asked("<imagery>\nx"),
        {"question": "Draw a cat.", "answer": "<image>"},
    ],
)
def test_other_texts_stop_nothing(record: dict[str, Any]) -> None:
    reader = RecordReader(None, None)
    reader.read(record)

    assert reader.unread.stops == {}
