"""Labels: which answers have one, how they are counted, which rows are over a cap."""

import pytest

from stages.cleaning import labels
from stages.params.cleaning import Labels
from stages.rows.row import Chat, Function, Message, Row, Text, ToolCall, make_row


def answer(text: str) -> Row:
    return make_row(Chat([Message("user", "q"), Message("assistant", text)]))


@pytest.mark.parametrize(
    ("text", "field", "whole"),
    [
        ('{"intent": "a", "x": 1}', "a", None),
        ('{"intent": 3}', "3", '{"intent": 3}'),
        ('{"intent": null}', None, None),
        ('{"intent": ["a"]}', None, None),
        ('{"intent": "more than 15 characters"}', None, None),
        ('{"x": "a"}', None, '{"x": "a"}'),
        ("yes", None, "yes"),
        ("\tyes\n", None, "yes"),
        ("an answer in many words", None, None),
    ],
)
def test_a_label_is_a_short_value_of_the_field_or_a_short_answer(
    text: str, field: str | None, whole: str | None
) -> None:
    assert labels.label(answer(text), Labels(field="intent", max_chars=15, max_rows=None)) == field
    assert labels.label(answer(text), Labels(field=None, max_chars=15, max_rows=None)) == whole


def test_an_answer_that_is_a_call_has_no_label() -> None:
    call = ToolCall(Function("f", {}), "function")
    row = make_row(Chat([Message("user", "q"), Message("assistant", "", [call])]))

    assert labels.label(row, Labels(field=None, max_chars=15, max_rows=None)) is None


def test_a_text_has_no_label() -> None:
    assert labels.label(make_row(Text("yes")), Labels(field=None, max_chars=15, max_rows=None)) is None


def test_the_balance_lists_the_largest_label_first_with_its_share() -> None:
    params = Labels(field="intent", max_chars=15, max_rows=None)

    assert labels.balance({"1": "b", "2": "a", "3": "c", "4": "c"}, params) == {
        "field": "intent", "rows": 4, "largest_share": 0.5, "counts": {"c": 2, "a": 1, "b": 1},
    }  # fmt: skip
    assert labels.balance({}, params) == {"field": "intent", "rows": 0, "largest_share": 0.0, "counts": {}}


def test_rows_over_the_cap_are_those_with_the_largest_ids_whatever_other_labels_there_are() -> None:
    params = Labels(field="intent", max_chars=15, max_rows=2)
    by_id = {"1": "a", "3": "a", "2": "a", "4": "b", "0": "a"}

    assert labels.rows_over_cap(by_id, {"0"}, params) == {"3": "a"}
    assert labels.rows_over_cap({**by_id, "5": "c"}, {"0"}, params) == {"3": "a"}
    assert labels.rows_over_cap(by_id, set(), Labels(field="intent", max_chars=15, max_rows=None)) == {}
