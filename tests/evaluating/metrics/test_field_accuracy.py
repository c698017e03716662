"""Fields of a schema: which are right, of all and of each."""

import pytest

from stages.answers.call_forms import Call
from stages.answers.reply import Reply
from stages.evaluating.metrics import field_accuracy
from stages.params.evaluation import Suite

SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}, "items": {"type": "array"}}}
SUITE = Suite(metrics=["field_accuracy"], label=None, slots=[], answer_schema=SCHEMA)


@pytest.mark.parametrize(
    ("expected", "answer", "all_fields", "total", "items"),
    [
        ('{"total": 2, "items": ["a"]}', '{"items": ["a"], "total": 2.0}', (2, 2), (1, 1), (1, 1)),
        ('{"total": 2, "items": ["a"]}', '{"total": 3, "items": ["a"]}', (1, 2), (0, 1), (1, 1)),
        ('{"total": 2, "items": ["a"]}', '{"total": 2}', (1, 2), (1, 1), (0, 1)),
        # a field too many is wrong; one that neither side has does not count, nor does one outside of the schema
        ('{"total": 2}', '{"total": 2, "items": []}', (1, 2), (1, 1), (0, 1)),
        ('{"total": 2, "note": 1}', '{"total": 2, "note": 2}', (1, 1), (1, 1), (0, 0)),
        ('{"total": null}', '{"total": null}', (1, 1), (1, 1), (0, 0)),
        ('{"total": 2}', "no json", (0, 1), (0, 1), (0, 0)),
    ],
)
def test_a_field_is_right_where_both_sides_have_it_with_equal_values(
    expected: str, answer: str, all_fields: tuple[int, int], total: tuple[int, int], items: tuple[int, int]
) -> None:
    assert field_accuracy.score(Reply(expected), Reply(answer), SUITE) == {
        "field_accuracy": all_fields, "field_accuracy.total": total, "field_accuracy.items": items,
    }  # fmt: skip


def test_rows_that_expect_a_call_do_not_count() -> None:
    scores = field_accuracy.score(Reply("", [Call("f", {})]), Reply('{"total": 2}'), SUITE)

    assert set(scores.values()) == {(0, 0)}
