"""JSON that answers are."""

import pytest

from stages.answers import json_answer

DEEP = "[" * 100_000


@pytest.mark.parametrize("answer", ["", "x", "[1]", '"text"', "null", "{", DEEP])
def test_an_answer_that_is_no_json_object_has_no_fields(answer: str) -> None:
    assert json_answer.fields(answer) == {}


def test_fields_are_those_of_the_object() -> None:
    assert json_answer.fields('{"a": 1, "b": [2]}') == {"a": 1, "b": [2]}
