"""Macro-F1: every label counts as much as another."""

import json
from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages import evaluate
from stages.answers.reply import Reply
from stages.evaluating import metrics, scoring
from stages.evaluating.metrics import Sparse, macro_f1
from stages.params.evaluation import Suite
from tests.evaluating.made_up_answers import answered

SUITE = Suite(metrics=["macro_f1"], label="intent", slots=[], answer_schema=None)


def labelled(label: object) -> str:
    return json.dumps({"intent": label})


def value(expected: list[object], given: list[object]) -> float:
    return scoring.totals(answered(list(map(labelled, expected)), list(map(labelled, given)), SUITE))["macro_f1"]


def test_it_is_the_mean_of_the_f1_of_labels() -> None:
    # refund: 2 of 3 found, none too many: 2·2 / (3 + 2); late: found, and once for a refund: 2·1 / (1 + 2)
    assert value(["refund", "refund", "refund", "late"], ["refund", "refund", "late", "late"]) == pytest.approx(
        (4 / 5 + 2 / 3) / 2, abs=1e-6
    )


def test_a_label_that_nobody_expects_is_a_miss_and_no_label_of_its_own() -> None:
    assert value(["a", "b"], ["a", "c"]) == 0.5
    assert value(["a", "b"], ["a", None]) == 0.5


def test_a_truth_value_is_no_number_and_a_list_no_label() -> None:
    assert value([1, True], [1.0, True]) == 1.0
    assert value([1, True], [True, 1]) == 0.0
    assert value(["a"], [["a"]]) == 0.0
    assert not macro_f1.usable(Reply(labelled(["a"])), SUITE)
    assert not macro_f1.usable(Reply("{}"), SUITE)
    assert macro_f1.usable(Reply(labelled(False)), SUITE)


def test_rows_whose_answer_is_a_call_or_has_no_label_do_not_count() -> None:
    assert scoring.totals(answered([labelled("a"), "text"], [labelled("a"), labelled("a")], SUITE)) == {"macro_f1": 1.0}


def test_a_part_of_the_rows_has_the_labels_that_are_in_it() -> None:
    statistics = scoring.statistics(answered(*(list(map(labelled, ["a", "b", "c"])) for _ in range(2)), SUITE))

    assert float(metrics.value("macro_f1", statistics["macro_f1"][:2].sum(axis=0))) == 1.0


def test_a_row_holds_the_numbers_of_its_own_labels_alone(tmp_path: Path) -> None:
    labels = [f"label {n}" for n in range(200)]
    answers = answered(list(map(labelled, labels)), list(map(labelled, labels[1:] + labels[:1])), SUITE)

    assert [answer.scores["macro_f1"] for answer in answers[:2]] == [
        Sparse(400, {1: 1, 3: 1}), Sparse(400, {3: 1, 5: 1}),
    ]  # fmt: skip
    scoring.write(tmp_path / "answers.jsonl", answers)
    assert scoring.read(tmp_path / "answers.jsonl") == answers
    assert (tmp_path / "answers.jsonl").stat().st_size < 200 * 250, "and not 800 bytes of zeros a row"


def test_samples_of_a_row_are_added() -> None:
    first, second = (answered([labelled("a"), labelled("b")], given, SUITE) for given in (
        [labelled("a"), labelled("b")], [labelled("b"), labelled("b")],
    ))  # fmt: skip

    both = evaluate.summed([first, second], SUITE)
    assert both[0].scores["macro_f1"] == Sparse(4, {0: 2, 1: 3, 3: 1})
    # a: 2·1 / (2 + 1), b: 2·2 / (2 + 3)
    assert scoring.totals(both)["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2, abs=1e-6)


def test_more_than_a_thousand_labels_are_refused() -> None:
    labels = list(map(labelled, range(1001)))

    with pytest.raises(UserError, match="macro_f1: the expected answers have 1001 labels: want at most 1000"):
        answered(labels, labels, SUITE)
