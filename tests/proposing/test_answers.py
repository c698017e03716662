"""The metrics of a suite follow from what its answers look like."""

import pytest

from stages.proposing import answers


def test_json_answers_have_a_label_slots_and_the_narrowest_schema() -> None:
    found = answers.form(
        ['{"note": "a b", "intent": "buy", "count": 1}', '{"note": "c", "intent": "sell", "count": 2.5}',
         '{"note": "d", "intent": "buy"}'] * 3
    )  # fmt: skip

    assert (found.label, list(found.slots), found.main) == ("intent", ["note", "count"], "label_accuracy")
    assert found.metrics == [
        "exact_match", "valid_json", "schema", "field_accuracy", "slot_f1", "label_accuracy", "macro_f1",
    ]  # fmt: skip
    assert found.answer_schema == {
        "type": "object",
        "properties": {
            "note": {"enum": ["a b", "c", "d"]}, "intent": {"enum": ["buy", "sell"]}, "count": {"type": "number"},
        },
        "required": ["note", "intent"],
        "additionalProperties": False,
    }  # fmt: skip
    assert found.labels == {"field": "intent", "max_chars": 64, "max_rows": None}


def test_json_without_a_field_of_few_values_has_no_label() -> None:
    found = answers.form(['{"name": "a", "tags": ["x"]}', '{"name": "b", "tags": []}', '{"name": "c", "tags": [1]}'])

    assert (found.label, list(found.slots), found.labels, found.main) == (None, ["name"], None, "exact_match")
    assert found.answer_schema is not None
    assert found.answer_schema["properties"] == {
        "name": {"type": "string"}, "tags": {"type": "array", "items": {"type": ["integer", "string"]}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "metrics", "reason"),
    [
        (["2 + 2 = 4\n#### 4", "#### 1,000"], ["final_number", "exact_match"], "answers end in #### and a number"),
        (["51.0", "7", "8"] * 9, ["exact_match"], "answers are numbers: right is the same text"),
        (["yes", "no", "no"] * 2, ["exact_match"], "2 short answers: each is a label"),
        (["One.", "Two.", "Три."], ["rouge_l", "chrf", "exact_match", "length", "repetition", "refused_allowed"],
         "answers are texts: those that share words with the expected one are nearly right"),
        ([":-)", ":-(", ":-|"], ["exact_match"], "answers are texts without words: right is the same text"),
        (["```python\nx = 1\n```\n```python tests\nassert x == 1\n```"], ["pass_at_1", "exact_match"],
         "answers hold code and its tests, which are run"),
    ],
)  # fmt: skip
def test_other_answers_are_scored_by_what_they_share(given: list[str], metrics: list[str], reason: str) -> None:
    found = answers.form(given)

    assert (found.metrics, found.reason, found.main) == (metrics, reason, metrics[0])
    assert (found.label, found.answer_schema) == (None, None)


def test_a_whole_answer_is_the_label_where_few_short_ones_repeat() -> None:
    assert answers.form(["yes", "no", "no"] * 2).labels == {"field": None, "max_chars": 64, "max_rows": None}
    assert answers.form(["yes", "no", "no", "perhaps"]).labels is None


def test_one_answer_of_another_form_in_a_hundred_changes_nothing() -> None:
    assert answers.form(["#### 1"] * 99 + ["no number"]).main == "final_number"
    assert answers.form(["#### 1"] * 9 + ["no number"]).main == "exact_match"


def test_answers_that_call_tools_are_scored_by_their_calls() -> None:
    found = answers.form(["", "", "It is done."], calls=2)

    assert (found.metrics, found.main) == (["tool_call", "exact_match"], "tool_call")
    assert found.reason == "2 of 3 answers call tools"


def test_a_few_answers_that_call_tools_do_not_judge_the_others() -> None:
    numbers = answers.form(["", *["2 + 2 = 4\n#### 4"] * 9], calls=1)
    objects = answers.form(["", *['{"name": "a"}'] * 9], calls=1)

    assert (numbers.metrics, numbers.main) == (["final_number", "exact_match", "tool_call"], "final_number")
    assert numbers.reason == "1 of 10 answers call tools; other answers end in #### and a number"
    assert (objects.metrics, objects.main) == (["exact_match", "tool_call"], "exact_match")
