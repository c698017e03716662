"""A gate allows what the answers show, rejects what they refute, and says of all else what would settle it."""

from typing import Any

import msgspec
import pytest

from stages.evaluating import gates, metrics, scoring, verdicts
from stages.evaluating.gates import Measured
from stages.params.evaluation import Compare, Gate

HIGHER = metrics.Metric("higher", 0, 1, "")._asdict()
LOWER = metrics.Metric("lower", 0, None, "")._asdict()
DECLARED = {"exact_match": HIGHER, "refused": HIGHER | {"better": "lower"}, "bits_per_byte": LOWER}


def params(min_rows: int = 1, looks: int = 1, **declared: Gate) -> Compare:
    return Compare(
        suite="chat", baseline="base", bootstrap_samples=2000, confidence=0.95, looks=looks, power=0.8, seed=1,
        min_rows=min_rows, gates=declared,
    )  # fmt: skip


def gate(
    bound: float, against: str | None = None, metric: str = "exact_match", model: str = "sft",
    where: dict[str, Any] | None = None,
) -> Gate:  # fmt: skip
    return Gate(model, metric, against, bound, where)


def answers(
    hits: list[float], metric: str = "exact_match", expected: str = "e", prompts: int | None = None, name: str = "row"
) -> list[scoring.Answer]:
    """An answer for each score; to as many different prompts, or to `prompts` in turn."""
    return [
        scoring.Answer(f"{name} {i}", f"{name} {i % (prompts or len(hits))}", expected, "a", {metric: (hit, 1.0)})
        for i, hit in enumerate(hits)
    ]


def judge(declared: Gate, models: dict[str, list[scoring.Answer]], **settings: int) -> dict[str, Any]:
    return gates.judge({"chat": Measured(models, DECLARED)}, params(**settings, gate=declared))["gate"]


def share(right: int, wrong: int) -> list[float]:
    return [1.0] * right + [0.0] * wrong


@pytest.mark.parametrize(
    ("right", "verdict"), [(100, "ALLOW"), (90, "ALLOW"), (82, "INCONCLUSIVE"), (78, "INCONCLUSIVE"), (70, "REJECT")]
)
def test_the_value_alone_decides_nothing(right: int, verdict: str) -> None:
    result = judge(gate(0.8), {"sft": answers(share(right, 100 - right))})

    assert (result["verdict"], result["value"]) == (verdict, right / 100)
    assert 0 <= result["low"] <= result["value"] <= result["high"] <= 1
    assert (result["low"] >= 0.8, result["high"] < 0.8) == (verdict == "ALLOW", verdict == "REJECT")


def test_a_gate_tells_all_that_led_to_its_verdict() -> None:
    result = judge(gate(0.8), {"sft": answers(share(97, 3))})

    assert result.pop("p_allow") < 1e-3 and result.pop("p_reject") > 0.999
    assert result.pop("low") == pytest.approx(0.92, abs=0.02) and result.pop("high") > 0.98
    # (1.645 + 0.842) · sqrt(0.8 · 0.2 / 100) = 0.0995
    assert result.pop("smallest_effect") == pytest.approx(0.11, abs=0.015)
    assert result == {
        "verdict": "ALLOW", "model": "sft", "metric": "exact_match", "against": None, "where": None, "suite": "chat",
        "wanted": 0.8, "limit": "at least", "value": 0.97, "rows": 100, "groups": 100, "level": 0.05,
        "why": "exact_match of sft is 0.9700, want at least 0.8",
    }  # fmt: skip


def test_what_is_not_settled_says_how_many_rows_would_settle_it() -> None:
    result = judge(gate(0.8), {"sft": answers(share(84, 16))})

    # (1.645 + 0.842)² · 0.16 / 0.04² = 619 rows in all
    assert result["verdict"] == "INCONCLUSIVE"
    assert 480 < result["more_rows"] < 700
    more = f"{result['more_rows']:,} more rows would, if it stays so"
    assert result["why"] == f"exact_match of sft is 0.8400, want at least 0.8; not settled: {more}"


def test_a_value_at_its_bound_is_settled_by_no_number_of_rows() -> None:
    result = judge(gate(0.8), {"sft": answers(share(80, 20))})

    assert (result["verdict"], result["more_rows"]) == ("INCONCLUSIVE", None)
    assert result["why"].endswith("not settled: no more rows would")


def test_two_models_are_compared_row_by_row() -> None:
    base = answers(share(50, 50))
    gains = answers([1.0] * 60 + [0.0] * 40)
    swaps = answers([0.0] * 20 + [1.0] * 60 + [0.0] * 20)

    assert judge(gate(0.0, "base"), {"base": base, "sft": gains})["verdict"] == "ALLOW"
    unsettled = judge(gate(0.0, "base"), {"base": base, "sft": swaps})
    assert (unsettled["value"], unsettled["verdict"]) == (0.1, "INCONCLUSIVE"), (
        "the same gain, of 30 wins and 20 losses"
    )
    assert unsettled["why"].startswith("exact_match: the gain of sft on base is 0.1000, want at least 0.0; not settled")


def test_equal_models_allow_no_gain_and_a_small_loss_only_on_enough_rows() -> None:
    few, many = ({"base": answers(share(n, 0)), "sft": answers(share(n, 0))} for n in (100, 400))

    assert judge(gate(0.0, "base"), few)["verdict"] == "INCONCLUSIVE"
    assert judge(gate(-0.02, "base"), few)["verdict"] == "INCONCLUSIVE"
    assert judge(gate(-0.02, "base"), many)["verdict"] == "ALLOW"


def test_the_same_prompt_asked_again_adds_no_evidence() -> None:
    once = judge(gate(0.8), {"sft": answers(share(18, 2))})
    again = judge(gate(0.8), {"sft": answers(share(18, 2) * 20, prompts=20)})

    assert (again["rows"], again["groups"], again["value"]) == (400, 20, once["value"])
    assert once["verdict"] == again["verdict"] == "INCONCLUSIVE"
    assert again["low"] == pytest.approx(once["low"], abs=1e-6)
    assert judge(gate(0.8), {"sft": answers(share(360, 40))})["verdict"] == "ALLOW", "400 prompts are evidence"


def test_texts_have_no_prompt_and_are_a_group_each() -> None:
    texts = [scoring.Answer(str(i), "", "text", "", {"bits_per_byte": (2.0 + i % 3 / 10, 1.0)}) for i in range(60)]

    assert judge(gate(2.5, metric="bits_per_byte"), {"sft": texts})["groups"] == 60


@pytest.mark.parametrize(("bound", "verdict"), [(2.5, "ALLOW"), (2.2, "INCONCLUSIVE"), (2.0, "REJECT")])
def test_where_lower_is_better_the_bound_is_the_most_that_is_allowed(bound: float, verdict: str) -> None:
    result = judge(gate(bound, metric="bits_per_byte"), {"sft": answers([2.0, 2.4] * 50, "bits_per_byte")})

    assert (result["verdict"], result["value"], result["limit"]) == (verdict, 2.2, "at most")
    assert result["low"] < 2.2 < result["high"]
    assert (result["high"] <= bound, result["low"] > bound) == (verdict == "ALLOW", verdict == "REJECT")


@pytest.mark.parametrize(
    ("change", "bound", "verdict"),
    [(-0.478, 0.4, "ALLOW"), (-0.478, 0.6, "REJECT"), (0.07, 0.0, "REJECT"), (0.07, -0.2, "ALLOW")],
)
def test_against_a_model_a_lower_loss_is_a_gain(change: float, bound: float, verdict: str) -> None:
    losses = {
        "base": answers([2.0, 2.4] * 50, "bits_per_byte"),
        "sft": answers([2.0 + change, 2.4 + change * 1.1] * 50, "bits_per_byte"),
    }
    result = judge(gate(bound, "base", "bits_per_byte"), losses)

    assert (result["verdict"], result["limit"]) == (verdict, "at least")
    assert result["value"] == pytest.approx(-change * 1.05)


def test_hits_that_should_be_rare_are_tested_exactly_too() -> None:
    rare, often = answers(share(1, 199), "refused"), answers(share(40, 160), "refused")

    assert judge(gate(0.05, metric="refused"), {"sft": rare})["verdict"] == "ALLOW"
    assert judge(gate(0.05, metric="refused"), {"sft": often})["verdict"] == "REJECT"
    assert judge(gate(0.0, "base", "refused"), {"base": often, "sft": rare})["verdict"] == "ALLOW"
    assert judge(gate(0.0, "base", "refused"), {"base": rare, "sft": often})["verdict"] == "REJECT"


def test_a_slice_counts_its_own_rows_alone() -> None:
    refunds = answers(share(60, 0), expected='{"intent": "refund", "urgent": true}')
    others = answers(share(0, 60), expected='{"intent": "invoice", "urgent": true}', name="other")
    rows = refunds + others

    result = judge(gate(0.8, where={"intent": "refund"}), {"sft": rows})
    assert (result["verdict"], result["value"], result["rows"]) == ("ALLOW", 1.0, 60)
    assert result["why"] == "exact_match of sft where intent = 'refund' is 1.0000, want at least 0.8"
    both = judge(gate(0.8, where={"urgent": True}), {"sft": rows})
    assert both["rows"] == 120
    nothing = judge(gate(0.8, where={"intent": "return"}), {"sft": rows})
    assert nothing["verdict"] == "REJECT"
    assert nothing["why"] == "no row of chat has intent = 'return': want some; correct where"


def test_a_gate_on_nothing_is_a_reject() -> None:
    uncounted = [scoring.Answer(str(i), "p", "e", "a", {"exact_match": (0.0, 0.0)}) for i in range(200)]
    result = judge(gate(0.0), {"sft": uncounted})

    assert (result["verdict"], "value" in result) == ("REJECT", False)
    assert result["why"] == "exact_match counts none of 200 rows: nothing was measured"


def test_a_model_that_a_metric_counts_no_row_of_is_not_held_against_another() -> None:
    nothing = [scoring.Answer(a.id, a.prompt, "e", "a", {"exact_match": (0.0, 0.0)}) for a in answers(share(99, 1))]
    models = {"sft": answers(share(99, 1)), "base": nothing}

    result = judge(gate(0.0, "base"), models)
    assert (result["verdict"], result["why"]) == ("INCONCLUSIVE", "exact_match: counts none of 100 rows of base")
    noisy = msgspec.structs.replace(params(gate=gate(0.5)), seeds={"sft": ["base"]})
    found = gates.judge({"chat": Measured(models, DECLARED)}, noisy)["gate"]
    assert (found["verdict"], "noise" in found) == ("ALLOW", False)
    assert found["why"].endswith("; its noise of training is unknown: counts none of 100 rows of base")


def test_rows_that_the_metric_leaves_out_are_no_evidence() -> None:
    mixed = answers(share(40, 0)) + [
        scoring.Answer(f"call {i}", f"call {i}", "e", "a", {"exact_match": (0.0, 0.0)}) for i in range(60)
    ]

    assert judge(gate(0.8), {"sft": mixed})["rows"] == 40


@pytest.mark.parametrize(
    "unmeasured", [gate(0.0, metric="bleu"), gate(0.0, model="dpo"), gate(0.0, against="dpo")], ids=str
)
def test_a_gate_on_an_unmeasured_metric_is_a_reject(unmeasured: Gate) -> None:
    result = judge(unmeasured, {"base": answers(share(99, 1)), "sft": answers(share(99, 1))})

    assert result["verdict"] == "REJECT"
    assert result["why"] == f"{unmeasured.metric} of {unmeasured.model} was not measured"


@pytest.mark.parametrize("right", [50, 0])
def test_a_gate_on_too_few_rows_decides_nothing_however_good_or_bad_the_model(right: int) -> None:
    result = judge(gate(0.5), {"sft": answers(share(right, 50 - right))}, min_rows=60)

    assert (result["verdict"], result["more_rows"] >= 10) == ("INCONCLUSIVE", True)
    assert result["why"].endswith("; 50 rows, want at least 60")


def test_more_looks_and_more_gates_ask_for_more_evidence() -> None:
    models = {"sft": answers(share(88, 12))}

    assert judge(gate(0.8), models)["verdict"] == "ALLOW"
    assert judge(gate(0.8), models, looks=20)["verdict"] == "INCONCLUSIVE"
    others = {f"gate_{n}": gate(0.88) for n in range(7)}
    both = gates.judge({"chat": Measured(models, DECLARED)}, params(mine=gate(0.8), **others))
    assert (both["mine"]["verdict"], both["mine"]["level"]) == ("INCONCLUSIVE", 0.00625)


def test_a_metric_of_another_suite_has_its_name_before_it() -> None:
    suites = {
        "chat": Measured({"sft": answers(share(99, 1))}, DECLARED),
        "golden": Measured({"sft": answers(share(20, 80))}, DECLARED),
    }
    found = gates.judge(suites, params(chat=gate(0.8), golden=gate(0.8, metric="golden.exact_match")))

    assert {name: (result["suite"], result["verdict"]) for name, result in found.items()} == {
        "chat": ("chat", "ALLOW"), "golden": ("golden", "REJECT"),
    }  # fmt: skip


def test_the_build_is_what_its_worst_gate_is() -> None:
    def of(*found: str) -> str:
        return verdicts.of_all({str(n): {"verdict": verdict} for n, verdict in enumerate(found)})

    assert of("ALLOW", "ALLOW") == "ALLOW"
    assert of("ALLOW", "INCONCLUSIVE") == "INCONCLUSIVE"
    assert of("INCONCLUSIVE", "REJECT", "ALLOW") == "REJECT"
    assert of() == "REJECT", "nothing was tested, so nothing is proven"


def test_a_slice_is_by_the_expected_answer_without_its_reasoning() -> None:
    expected = '<think>refunds\n{"intent": "other"}</think>\n{"intent": "refund"}'
    models = {"sft": answers(share(100, 0), expected=expected)}

    assert judge(gate(0.8, where={"intent": "refund"}), models)["rows"] == 100
    assert judge(gate(0.8, where={"intent": "other"}), models)["verdict"] == "REJECT"


@pytest.mark.parametrize(
    ("lost", "rows", "verdict", "warning"),
    [(0, 2000, "ALLOW", False), (60, 2000, "ALLOW", True), (200, 2000, "REJECT", None), (2, 100, "INCONCLUSIVE", None)],
)
def test_a_loss_is_fine_or_a_warning_or_blocks(lost: int, rows: int, verdict: str, warning: bool | None) -> None:
    models = {"base": answers(share(rows, 0)), "sft": answers(share(rows - lost, lost))}

    result = judge(msgspec.structs.replace(gate(-0.05, "base"), warn=-0.02), models)
    assert (result["verdict"], result.get("warning")) == (verdict, warning)
    assert result["why"].endswith("; a warning: not shown to be at least -0.02") == bool(warning)


def test_a_warning_where_lower_is_better_is_a_lower_bound() -> None:
    models = {"sft": answers(share(20, 980), "refused")}

    found = {
        warn: judge(msgspec.structs.replace(gate(0.1, metric="refused"), warn=warn), models) for warn in (0.05, 0.02)
    }
    assert [(one["verdict"], one["warning"]) for one in found.values()] == [("ALLOW", False), ("ALLOW", True)]


def test_the_noise_of_training_is_told_and_decides_nothing() -> None:
    models = {"sft": answers(share(97, 3)), "second": answers(share(95, 5)), "third": answers(share(96, 4))}
    settings = msgspec.structs.replace(params(gate=gate(0.8)), seeds={"sft": ["second", "third"]})

    result = gates.judge({"chat": Measured(models, DECLARED)}, settings)["gate"]
    assert (result["verdict"], result["noise"]) == ("ALLOW", 0.01), "the standard deviation of 0.97, 0.95 and 0.96"
    assert result["why"].endswith("; trained with other seeds it varies by 0.0100, its standard deviation")
