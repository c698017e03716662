"""Slices have the scores of their own rows; a difference counts if it is shown for all looks together."""

import numpy as np
import pytest

from stages.answers import reply
from stages.evaluating import metrics, scoring, slices
from stages.evaluating.metrics import field_accuracy, slot_f1, slot_f1_partial, tool_call
from stages.evaluating.slices import Slice
from stages.params.evaluation import Suite

HIGHER = metrics.Metric("higher", 0, 1, "")._asdict()
LOWER = metrics.Metric("lower", 0, None, "")._asdict()


def answers(scores: list[float], metric: str = "exact_match", counts: float = 1.0) -> list[scoring.Answer]:
    return [scoring.Answer(str(i), f"prompt {i}", "e", "a", {metric: (s, counts)}) for i, s in enumerate(scores)]


def expected(*texts: str) -> list[scoring.Answer]:
    return [scoring.Answer(str(i), "p" * i, text, "a", {}) for i, text in enumerate(texts)]


def test_a_slice_has_the_rows_with_its_value_and_small_ones_are_counted() -> None:
    by = {"label": {"0": ["a"], "1": ["a"], "2": ["b"], "3": ["c", "a"]}, "all": {id: ["x"] for id in "0123"}}

    found, told = slices.cut("01234", by, min_rows=2)

    assert found == [Slice("label", "a", [0, 1, 3])], "and none of nearly all rows: that is the suite"
    assert told == {
        "label": {"small": 2, "rows": 2, "without": 1}, "all": {"small": 0, "rows": 0, "without": 1},
    }  # fmt: skip


def test_labels_are_those_of_the_expected_answer() -> None:
    found = slices.labels(expected('{"intent": "refund"}', '{"intent": 1}', '{"intent": [1]}', "{}", "x"), "intent")

    assert found == {"0": ("refund",), "1": ("1",)}


def test_lengths_are_fourths_of_the_rows() -> None:
    rows = [scoring.Answer(str(n), "p" * n, "e", "a", {}) for n in range(1, 101)]

    found = slices.lengths(rows)
    names = list(dict.fromkeys(value for (value,) in found.values()))
    assert names == ["0 to 25 characters", "26 to 50 characters", "51 to 75 characters", "more than 75 characters"]
    assert [sum(value == (name,) for value in found.values()) for name in names] == [25, 25, 25, 25]
    assert found["25"] == ("0 to 25 characters",) and found["26"] == ("26 to 50 characters",)


def test_rows_of_one_length_are_one_slice() -> None:
    assert set(slices.lengths(answers([1.0] * 9)).values()) == {("0 to 8 characters",)}


def test_a_text_is_as_long_as_it_is() -> None:
    texts = [scoring.Answer("1", "", "four", "", {}), scoring.Answer("2", "", "sevenfold", "", {})]

    assert slices.lengths(texts)["2"] == ("more than 7 characters",)


def entry(model: list[float], other: list[float], better: dict = HIGHER, looks: int = 1) -> dict:
    rows = [*range(len(model))]
    names = ["exact_match"] if better is HIGHER else ["bits_per_byte"]
    pair = [answers(scores, names[0]) for scores in (model, other)]
    parts = [Slice("label", "a", rows)] * looks
    found = slices.table(parts, *pair, {names[0]: better}, confidence=0.95)
    assert len(found) == looks
    return found[0]


def test_an_entry_has_the_scores_of_both_models_and_their_paired_difference() -> None:
    found = entry([1.0] * 60 + [0.0] * 40, [1.0] * 90 + [0.0] * 10)

    assert (found["by"], found["value"], found["metric"], found["rows"], found["groups"]) == (
        "label", "a", "exact_match", 100, 100,
    )  # fmt: skip
    assert (found["score"], found["against"], found["difference"], found["verdict"]) == (0.6, 0.9, -0.3, "worse")
    # 1.98 · sqrt(0.6 · 0.4 / 100) = 0.097; of 30 lost rows and none won 1.98 · sqrt(0.3 · 0.7 / 100) = 0.091
    assert found["low"] == pytest.approx(0.503, abs=0.015) and found["high"] == pytest.approx(0.697, abs=0.015)
    assert found["difference_low"] == pytest.approx(-0.391, abs=0.02)
    assert found["difference_high"] == pytest.approx(-0.209, abs=0.02)


def test_intervals_stay_in_the_range_of_the_metric() -> None:
    found = entry([1.0] * 20, [0.0] * 20)

    assert found["high"] == 1.0 and found["low"] > 0.7


def test_where_less_is_better_a_greater_score_is_worse() -> None:
    twos, threes = [2.0 + i % 3 / 10 for i in range(60)], [3.0 + i % 4 / 10 for i in range(60)]

    assert entry(threes, twos, LOWER)["verdict"] == "worse"
    assert entry(twos, threes, LOWER)["verdict"] == "better"
    assert entry(twos, threes, LOWER)["difference"] < 0


def test_a_difference_that_one_look_shows_many_looks_do_not() -> None:
    model, other = [1.0] * 88 + [0.0] * 12, [1.0] * 100

    assert entry(model, other)["verdict"] == "worse"
    many = entry(model, other, looks=400)
    assert many["verdict"] == ""
    assert many["difference_high"] < 0, "the interval is that of one look"


def test_of_many_slices_of_equal_models_hardly_any_is_called_worse_or_better() -> None:
    rng = np.random.default_rng(8)
    builds = 0
    for _ in range(20):
        hits = (rng.random((2, 1200)) < 0.7).astype(float)
        parts = [Slice("group", str(n), [*range(30 * n, 30 * n + 30)]) for n in range(40)]
        found = slices.table(parts, *(answers(of.tolist()) for of in hits), {"exact_match": HIGHER}, confidence=0.95)
        builds += any(one["verdict"] for one in found)

    assert builds <= 2


def test_macro_f1_and_metrics_that_count_no_row_or_one_are_no_looks() -> None:
    pair = [answers([1.0, 0.0]), answers([0.0, 0.0])]
    for of_model in pair:
        for answer in of_model:
            answer.scores["macro_f1"] = metrics.Sparse(2, {1: 1})
            answer.scores["valid_json"] = (0.0, 0.0)
    declared = dict.fromkeys(("exact_match", "macro_f1", "valid_json"), HIGHER)

    found = slices.table([Slice("label", "a", [0, 1]), Slice("label", "b", [0])], *pair, declared, 0.95)
    assert [(one["value"], one["metric"]) for one in found] == [("a", "exact_match")]


def test_a_loss_is_what_the_other_model_has_more_of() -> None:
    model, other = answers([1.0, 0.0, 0.5]), answers([0.0, 1.0, 1.0])
    uncounted = answers([0.0] * 3, counts=0.0)

    assert slices.losses("exact_match", "higher", model, other).tolist() == [-1.0, 1.0, 0.5]
    assert slices.losses("exact_match", "lower", model, other).tolist() == [1.0, -1.0, -0.5]
    assert slices.losses("exact_match", "higher", model, uncounted).tolist() == [0.0, 0.0, 0.0]


def of_replies(expected: str, answer: str) -> scoring.Answer:
    """An answer with the scores of all metrics that count what is expected or given."""
    call = reply.Call("f", {}) if answer == "call" else None
    suite = Suite(metrics=[], label=None, slots=["product"], answer_schema={"properties": {"product": {}}})
    of_row = reply.Reply(expected), reply.Reply("" if call else answer, (call,) if call else ())
    scores = {}
    for metric in (slot_f1, slot_f1_partial, field_accuracy, tool_call):
        scores |= metric.score(*of_row, suite)
    return scoring.Answer("0", "", expected, answer, scores)


@pytest.mark.parametrize(
    ("metric", "invented"),
    [
        ("slot_f1.product", '{"product": "iron"}'),
        ("slot_f1_partial.product", '{"product": "iron"}'),
        ("field_accuracy", '{"product": "iron"}'),
        ("field_accuracy.product", '{"product": "iron"}'),
        ("tool_call", "call"),
        ("tool_call.name", "call"),
        ("tool_call.arguments", "call"),
    ],
)
def test_who_invents_what_the_other_leaves_out_loses_all(metric: str, invented: str) -> None:
    inventing, silent = [of_replies("{}", invented)], [of_replies("{}", "{}")]

    assert slices.losses(metric, "higher", inventing, silent).tolist() == [1.0]
    assert slices.losses(metric, "higher", silent, inventing).tolist() == [-1.0]
    assert slices.losses(metric, "higher", silent, silent).tolist() == [0.0]
    assert slices.losses(metric, "higher", inventing, inventing).tolist() == [0.0]
