"""A name that an object has twice is told, in files, in texts of JSON and in Python's literals."""

import io

import pytest

from stages.reading.containers import READERS
from stages.reading.containers.record import Broken
from stages.reading.repeated_names import RepeatedNameError
from stages.reading.text_values import json_value, messages_in_text

TWICE = "the name 'a' is twice in one object, with other values: want each name once"


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".jsonl", '{"q": 1, "a": 1, "a": 2}\n{"q": 2}\n'),
        (".jsonl", '{"m": [{"b": {"a" : "x", "a" : "y"}}]}\n{"q": 2}\n'),
        (".jsonl", '{"m": "\\":", "a": 1, "a": true}\n{"q": 2}\n'),  # a text of a quote and a colon
        (".jsonl", '{"q" : 1, "a": 1, "a": 2}\n{"q": 2}\n'),
        (".jsonl", '{"q\\\\": 1, "a": 1, "a": 2}\n{"q": 2}\n'),
        (".jsonl", '{"q": 1, "a": 1, "a"\t: 2}\n{"q": 2}\n'),
        (".jsonl", '{"q": 1, "a": 1, "a" \r:2}\n{"q": 2}\n'),
        (".json", '[{"q": 1, "a": 1, "a": 2}, {"q": 2}]'),
        (".json", '[{"q": 1, "a": 1, "a"\n  : 2}, {"q": 2}]'),
    ],
)
def test_a_record_with_a_name_twice_is_broken_and_the_next_is_read(suffix: str, text: str) -> None:
    first, second = READERS[suffix](io.BytesIO(text.encode()), print)

    assert isinstance(first, Broken)
    assert (first.line, first.reason, first.detail) == (1, "repeated_name", TWICE)
    assert second.value == {"q": 2}


@pytest.mark.parametrize(
    "text", ['{"a": [1, 2], "a": [3, 4]}', '{"b": {"0": 1, "1": 2}, "a": {"0": 1, "1": 2, "1": 3}}']
)
def test_a_table_of_columns_with_a_name_twice_is_broken_as_such(text: str) -> None:
    (broken,) = READERS[".json"](io.BytesIO(text.encode()), print)

    assert (broken.line, broken.reason, broken.text) == (1, "repeated_name", text)
    assert broken.detail.startswith("the name '") and broken.detail.endswith("want each name once")


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 1}', '{"a": {"a": 1}, "b": "\\"a\\": 1"}', '{"a": "\\":", "b": [[{"a": 2}]]}']
)
def test_a_name_with_one_value_is_no_loss(text: str) -> None:
    (record,) = READERS[".jsonl"](io.BytesIO(text.encode()), print)

    assert record.text == text and json_value(text) == record.value


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "{'a': 1, 'b': None, 'a': 2}", "[{'a': (1, {'a': 2, 'a': 3})}]"])
def test_a_text_with_a_name_twice_is_refused_as_a_value(text: str) -> None:
    with pytest.raises(RepeatedNameError, match=TWICE):
        json_value(text)


def test_an_answer_with_a_name_twice_stays_and_messages_do_not() -> None:
    assert messages_in_text('[{"a": 1, "a": 2}]', ["user"]) == '[{"a": 1, "a": 2}]'
    with pytest.raises(RepeatedNameError):
        messages_in_text('[{"role": "user", "content": "a", "content": "b"}]', ["user"])
    assert json_value("{1: 'x', '2': 'y'}") == {"1": "x", "2": "y"}
    with pytest.raises(RepeatedNameError, match="'1' is twice"):
        json_value("{1: 'x', '1': 'y'}")
