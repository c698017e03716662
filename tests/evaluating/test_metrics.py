"""Every metric, compared with values counted by hand."""

from types import ModuleType

import pytest

from stages.answers import reply
from stages.evaluating.metrics import (
    bits_per_byte,
    compact,
    exact_match,
    final_number,
    label_accuracy,
    schema,
    slot_f1,
    token_accuracy,
    valid_json,
)
from stages.evaluating.text_likelihood import TextLikelihood
from stages.params.evaluation import Suite

SUITE = Suite(
    metrics=["exact_match"],
    label="intent",
    slots=["product", "urgency"],
    answer_schema={
        "type": "object",
        "properties": {"intent": {"type": "string"}, "urgency": {"enum": ["low", "high"]}},
        "required": ["intent"],
        "additionalProperties": False,
    },
)


def score(metric: ModuleType, expected: str, answer: str, suite: Suite = SUITE) -> dict[str, tuple[float, float]]:
    """The scores of answers in text, to a question without tools."""
    return metric.score(reply.parse(expected, []), reply.parse(answer, []), suite)


EXPECTED = '{"intent": "refund", "product": "kettle", "urgency": "low"}'
DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("expected", "answer", "hits"),
    [
        (EXPECTED, EXPECTED, 1),
        (EXPECTED, '{"urgency":"low","product":"kettle","intent":"refund"}', 1),
        (EXPECTED, f"\n {EXPECTED} ", 1),
        (EXPECTED, EXPECTED.replace("low", "high"), 0),
        (EXPECTED, EXPECTED.replace("low", "Low"), 0),
        (EXPECTED, f"Here it is: {EXPECTED}", 0),
        (EXPECTED, EXPECTED[:-1], 0),
        (EXPECTED, "", 0),
        ("[1, 2]", "[2, 1]", 0),
        ('{"n": 1}', '{"n": true}', 0),
        ('{"n": 1}', '{"n": 1.0}', 1),
        ("1.1", "1.10", 1),
        ("$1.1", "$1.10", 0),
        ("1,000", "1000", 0),
        ('{"n": [1, {"m": 0}]}', '{"n": [1.0, {"m": 0.0}]}', 1),
        ('{"n": [1, {"m": 0}]}', '{"n": [1, {"m": false}]}', 0),
        ('{"n": "1"}', '{"n": 1}', 0),
        ('{"n": null}', "{}", 0),
        ("[1, 2]", "[1]", 0),
        ("[]", "{}", 0),
        ("in two days", " in two days\n", 1),
        ("in two days", "in two  days", 0),
        ("in two days", '"in two days"', 0),
        ("null", "null", 1),
        ("null", "", 0),
    ],
)
def test_exact_match_compares_values_if_json_is_expected_and_text_otherwise(
    expected: str, answer: str, hits: int
) -> None:
    assert score(exact_match, expected, answer) == {"exact_match": (hits, 1)}


@pytest.mark.parametrize(
    ("answer", "hits"),
    [("{}", 1), ("[1]", 1), ("3", 1), (EXPECTED, 1), ("{'a': 1}", 0), ("", 0), ("{} {}", 0), ("NaN", 0), (DEEP, 0)],
)
def test_valid_json_counts_answers_that_any_json_parser_accepts(answer: str, hits: int) -> None:
    assert score(valid_json, "", answer) == {"valid_json": (hits, 1)}


@pytest.mark.parametrize(
    ("answer", "hits"),
    [
        ('{"intent": "x"}', 1),
        ('{"urgency": "low", "intent": "x"}', 1),
        ('{"intent": "x", "urgency": "soon"}', 0),
        ('{"intent": 1}', 0),
        ('{"urgency": "low"}', 0),
        ('{"intent": "x", "more": 1}', 0),
        ('["intent"]', 0),
        ("no json", 0),
        ("null", 0),
    ],
)
def test_schema_counts_answers_that_are_valid_under_the_suites_schema(answer: str, hits: int) -> None:
    assert score(schema, EXPECTED, answer) == {"schema": (hits, 1)}


@pytest.mark.parametrize(
    ("answer", "hits"),
    [
        ('{"intent": "refund"}', 1),
        ('{"intent": "Refund"}', 0),
        ('{"product": "kettle"}', 0),
        ('{"intent": ["refund"]}', 0),
        ('"refund"', 0),
        ("refund", 0),
    ],
)
def test_label_accuracy_compares_the_label_field_alone(answer: str, hits: int) -> None:
    assert score(label_accuracy, EXPECTED, answer) == {"label_accuracy": (hits, 1)}


def test_no_answer_has_the_right_label_if_none_is_expected() -> None:
    assert score(label_accuracy, "{}", "{}") == {"label_accuracy": (0, 1)}


@pytest.mark.parametrize(
    ("expected", "answer", "product", "urgency"),
    [
        # 2TP / (2TP + FP + FN): a hit counts 2 of 2, a wrong value 0 of 2, a slot that only one side has 0 of 1
        (EXPECTED, EXPECTED, (2, 2), (2, 2)),
        (EXPECTED, '{"product": "kettle", "urgency": "high"}', (2, 2), (0, 2)),
        (EXPECTED, '{"urgency": "low"}', (0, 1), (2, 2)),
        (EXPECTED, "no json", (0, 1), (0, 1)),
        ('{"intent": "x"}', EXPECTED, (0, 1), (0, 1)),
        ('{"intent": "x"}', '{"intent": "x"}', (0, 0), (0, 0)),
        ('{"product": null}', '{"product": null}', (2, 2), (0, 0)),
    ],
)
def test_slot_f1_counts_each_slot_separately(
    expected: str, answer: str, product: tuple[int, int], urgency: tuple[int, int]
) -> None:
    assert score(slot_f1, expected, answer) == {"slot_f1.product": product, "slot_f1.urgency": urgency}


@pytest.mark.parametrize(
    ("answer", "hits"),
    [
        ('{"b":1,"a":[1,2]}', 1),
        (' {"b":1}\n', 1),
        ('{"b": 1}', 0),
        ('{"a":[1, 2]}', 0),
        ('{"a":"é"}', 1),
        ('{"a":"\\u00e9"}', 0),
        ("not json", 0),
        ("", 0),
    ],
)
def test_compact_counts_minified_json_with_any_order_of_keys(answer: str, hits: int) -> None:
    assert score(compact, EXPECTED, answer) == {"compact": (hits, 1)}


@pytest.mark.parametrize(("answer", "hit"), [("true", 1), ("1", 0), ("1.0", 0), ('"true"', 0), ("false", 0)])
def test_a_boolean_is_no_number(answer: str, hit: int) -> None:
    suite = Suite(["slot_f1"], label="ok", slots=["ok"], answer_schema=None)

    expected, answer = '{"ok": true}', f'{{"ok": {answer}}}'
    assert score(slot_f1, expected, answer, suite) == {"slot_f1.ok": (2 * hit, 2)}
    assert score(label_accuracy, expected, answer, suite) == {"label_accuracy": (hit, 1)}
    assert score(exact_match, expected, answer, suite) == {"exact_match": (hit, 1)}


def test_values_are_compared_as_deep_as_they_are_parsed() -> None:
    deep, other = ("[" * 900 + number + "]" * 900 for number in ("1", "2"))

    assert score(exact_match, deep, deep) == {"exact_match": (1, 1)}
    assert score(exact_match, deep, other) == {"exact_match": (0, 1)}


@pytest.mark.parametrize(
    ("expected", "answer", "hits"),
    [
        ("Half of 84 is 42.\n#### 42", "It is 42.\n#### 42", 1),
        ("#### 42", "#### 43", 0),
        ("#### 42", "#### 42.", 1),
        ("#### 42", "#### 42.0", 1),
        ("#### 42", "#### 042", 1),
        ("#### 42", "####42 eggs", 1),
        ("#### 42", "#### 42\n#### 7", 1),
        ("#### 42", "#### 7\n#### 42", 0),
        ("#### 42", "42", 0),
        ("#### 42", "#### forty-two", 0),
        ("#### 42", "####", 0),
        ("#### 42", "#### ,", 0),
        ("#### 42", "#### -42", 0),
        ("#### 42", "#### +42", 1),
        ("#### -5", "#### -5", 1),
        ("#### -5", "#### 5", 0),
        ("#### -5", "#### - 5", 0),
        ("#### 1,234,567", "#### 1234567", 1),
        ("#### 1234567", "#### 1,234,567", 1),
        ("#### 2.5", "#### 2.50", 1),
        ("#### 2.5", "#### 2", 0),
        ("#### 0.5", "#### .5", 1),
        ("#### 42", "#### 4²", 0),
        ("#### 42", f"#### {'9' * 10_000}", 0),
        ("#### 42", "", 0),
        ("#### 18", "#### $18", 1),
        ("#### 18", "#### 18.", 1),
        ("#### 1/2", "#### 1/7", 0),
        ("#### 2", "#### 2:45", 0),
        ("#### 10", "#### 10^6", 0),
        ("#### 1", "#### 1 000", 0),
        ("#### 3.5", "#### 3.5e6", 0),
        ("#### 1.1", "#### 1.10", 1),
        ("#### 1,000", "#### 1000", 1),
        ("#### 18 * 2", "#### 18", 0),
        ("#### 18", "#### 18 * 2", 0),
        ("#### 18", "#### 18 + $2", 0),
        ("#### 18", "#### 18 (9 each)", 1),
        ("#### 18", "#### 18 = 9 * 2", 1),
        ("#### 18", "#### 18 - as said", 1),
        ("no number", "no number", 0),
        ("no number", "#### 42", 0),
    ],
)
def test_final_number_compares_the_number_after_the_first_hashes(expected: str, answer: str, hits: int) -> None:
    assert score(final_number, expected, answer) == {"final_number": (hits, 1)}


def test_bits_per_byte_is_bits_over_bytes_and_token_accuracy_hits_over_tokens() -> None:
    likelihood = TextLikelihood(nats=6.931472, hits=3, tokens=4, bytes=20)  # ten times the natural logarithm of 2

    assert bits_per_byte.score(likelihood) == {"bits_per_byte": (10.0, 20.0)}
    assert token_accuracy.score(likelihood) == {"token_accuracy": (3.0, 4.0)}
