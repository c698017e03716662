"""Intervals contain the value and are reproducible; a gate passes only if its metric was measured on enough rows."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages import compare
from stages.evaluating import metrics, scoring
from stages.params.evaluation import Compare, Evaluate, Gate


def params(min_rows: int = 1, seed: int = 1, **gates: Gate) -> Compare:
    return Compare(
        suite="chat", baseline="base", bootstrap_samples=500, confidence=0.95, seed=seed, min_rows=min_rows, gates=gates
    )


HIGHER = metrics.Metric("higher", 0, 1, "")._asdict()
LOWER = metrics.Metric("lower", 0, None, "")._asdict()
DECLARED = {"exact_match": HIGHER, "schema": HIGHER, "bits_per_byte": LOWER}


def answers(*hits: float, metric: str = "exact_match", denominator: float = 1.0) -> list[scoring.Answer]:
    return [scoring.Answer(str(i), "p", "e", "a", {metric: (hit, denominator)}) for i, hit in enumerate(hits)]


def half(rows: int) -> list[scoring.Answer]:
    return answers(*[0.0, 1.0] * (rows // 2))


def entry(models: dict[str, Any], model: str, seed: int = 1) -> dict[str, float]:
    return compare.compare(models, DECLARED, params(seed=seed))[0][model]["exact_match"]


def judge(gate: Gate, models: dict[str, Any], min_rows: int = 1) -> dict[str, Any]:
    chosen = params(min_rows, gate=gate)
    return compare.judge(gate, compare.compare_suites({"chat": models}, {"chat": DECLARED}, chosen), chosen)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    models = {"base": half(100)}

    assert entry(models, "base", seed=1) == entry(models, "base", seed=1)
    assert entry(models, "base", seed=1) != entry(models, "base", seed=2)


def test_an_interval_has_the_width_of_the_binomial_one() -> None:
    result = entry({"base": half(400)}, "base")

    # 1.96 * sqrt(0.5 * 0.5 / 400) = 0.049
    assert result["value"] == 0.5
    assert result["low"] == pytest.approx(0.451, abs=0.01)
    assert result["high"] == pytest.approx(0.549, abs=0.01)


def test_more_rows_make_an_interval_narrower() -> None:
    few, many = (entry({"base": half(rows)}, "base") for rows in (20, 2000))

    assert many["high"] - many["low"] < (few["high"] - few["low"]) / 5  # sqrt(100) = 10 in theory


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=40))
def test_an_interval_contains_its_value(hits: list[float]) -> None:
    result = entry({"base": answers(*hits)}, "base")

    assert 0 <= result["low"] <= result["value"] <= result["high"] <= 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_equal_models_differ_by_exactly_0(hits: list[float]) -> None:
    result = entry({"base": answers(*hits), "sft": answers(*hits)}, "sft")

    assert (result["difference"], result["difference_low"], result["difference_high"]) == (0, 0, 0)


def test_a_difference_is_paired_row_by_row() -> None:
    worse, better = [0.0, 0.0, 1.0] * 30, [0.0, 1.0, 1.0] * 30
    result = entry({"base": answers(*worse), "sft": answers(*better)}, "sft")

    # a third of the rows gained 1, none lost: sd of a row's gain = sqrt(2)/3, 1.96 * sd / sqrt(90) = 0.097;
    # unpaired it would be 0.138
    assert result["difference"] == pytest.approx(1 / 3, abs=1e-6)
    assert result["difference_high"] - result["difference_low"] == pytest.approx(2 * 0.097, abs=0.03)


def test_the_baseline_has_no_difference_from_itself() -> None:
    assert "difference" not in entry({"base": half(4), "sft": half(4)}, "base")


def test_an_entry_says_what_its_metric_means() -> None:
    losses = {"base": answers(2.5, metric="bits_per_byte"), "sft": answers(2.0, metric="bits_per_byte")}

    entry = compare.compare(losses, DECLARED, params())[0]["sft"]["bits_per_byte"]
    assert (entry["better"], entry["least"], entry["most"]) == ("lower", 0, None)
    assert entry["difference"] == -0.5


def test_a_metric_with_denominator_0_is_0() -> None:
    result = entry({"base": answers(0.0, 0.0, denominator=0.0)}, "base")

    assert (result["value"], result["low"], result["high"]) == (0.0, 0.0, 0.0)


def gate(bound: float, against: str | None = None, metric: str = "exact_match", model: str = "sft") -> Gate:
    return Gate(model, metric, against, bound)


def test_a_gate_passes_at_its_bound_and_shows_the_value() -> None:
    assert judge(gate(1.0), {"sft": answers(1.0, 1.0)}) == {
        "verdict": "pass",
        "value": 1.0,
        "limit": "at least",
        "wanted": 1.0,
        "low": 1.0,
        "high": 1.0,
        "why": "exact_match of sft is 1.0000, want at least 1.0",
    }


def test_a_gate_fails_below_its_bound() -> None:
    result = judge(gate(0.75), {"sft": answers(1.0, 0.0)})

    assert (result["verdict"], result["why"]) == ("fail", "exact_match of sft is 0.5000, want at least 0.75")


def test_a_gate_on_too_few_rows_fails_however_good_the_model() -> None:
    result = judge(gate(0.1), {"sft": answers(1.0, 1.0)}, min_rows=3)

    assert (result["verdict"], result["why"]) == ("fail", "2 rows, want at least 3")


@pytest.mark.parametrize(
    "unmeasured", [gate(0.0, metric="bleu"), gate(0.0, model="dpo"), gate(0.0, against="dpo")], ids=str
)
def test_a_gate_on_an_unmeasured_metric_fails(unmeasured: Gate) -> None:
    result = judge(unmeasured, {"base": half(2), "sft": half(2)})

    assert result["verdict"] == "fail"
    assert result["why"] == f"{unmeasured.metric} of {unmeasured.model} was not measured"


def test_two_models_that_are_always_wrong_differ_by_0() -> None:
    wrong = answers(0.0, 0.0)

    result = judge(gate(0.1, against="base"), {"base": wrong, "sft": wrong})

    assert (result["verdict"], result["value"]) == ("fail", 0.0)
    assert result["why"] == "exact_match: the gain of sft on base is 0.0000, want at least 0.1"


def test_a_gate_against_a_model_judges_the_difference() -> None:
    models = {"base": answers(0.0, 0.0, 0.0, 1.0), "sft": answers(0.0, 1.0, 1.0, 1.0)}

    assert judge(gate(0.5, against="base"), models)["verdict"] == "pass"
    assert judge(gate(0.6, against="base"), models)["verdict"] == "fail"


def test_a_loss_of_exactly_the_bound_passes() -> None:
    models = {"base": answers(*[1.0] * 90, *[0.0] * 10), "sft": answers(*[1.0] * 88, *[0.0] * 12)}

    assert judge(gate(-0.02, against="base"), models)["verdict"] == "pass"  # 0.88 - 0.9 is -0.020000000000000018


def loss_gate(bound: float, against: str | None = None) -> Gate:
    return gate(bound, against, metric="bits_per_byte")


def losses(base: float, sft: float) -> dict[str, Any]:
    return {"base": answers(base, metric="bits_per_byte"), "sft": answers(sft, metric="bits_per_byte")}


@pytest.mark.parametrize(("bound", "verdict"), [(2.1, "pass"), (2.051, "pass"), (2.0, "fail")])
def test_where_lower_is_better_the_bound_is_the_most_that_passes(bound: float, verdict: str) -> None:
    result = judge(loss_gate(bound), losses(2.529, 2.051))

    assert (result["verdict"], result["value"], result["limit"]) == (verdict, 2.051, "at most")
    assert result["why"] == f"bits_per_byte of sft is 2.0510, want at most {bound}"


@pytest.mark.parametrize(
    ("sft", "bound", "verdict", "gained"),
    [
        (2.051, 0.4, "pass", 0.478),
        (2.051, 0.5, "fail", 0.478),
        (2.599, 0.0, "fail", -0.07),
        (2.599, -0.1, "pass", -0.07),
    ],
)
def test_against_a_model_a_lower_loss_is_a_gain(sft: float, bound: float, verdict: str, gained: float) -> None:
    result = judge(loss_gate(bound, "base"), losses(2.529, sft))

    assert (result["verdict"], result["value"], result["low"], result["high"]) == (verdict, gained, gained, gained)
    assert result["why"] == (f"bits_per_byte: the gain of sft on base is {gained:.4f}, want at least {bound}")


@pytest.fixture
def evaluations(tmp_path: Path) -> Path:
    folder = tmp_path / "evaluate"
    folder.mkdir()
    for model, hits in (("base", (0.0, 0.0)), ("sft", (1.0, 0.0))):
        scoring.write(folder / f"{model}-chat.jsonl", answers(*hits))
        scoring.write(folder / f"{model}-more.jsonl", answers(*hits, metric="schema"))
        for suite in ("chat", "more"):
            (folder / f"{model}-{suite}.json").write_text(json.dumps({"rows": 2, "metrics": {}, "declared": DECLARED}))
    return folder


def run(
    evaluations: Path, evaluate: Evaluate, min_rows: int = 1, **gates: Gate
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    metrics, comparison, verdict = (evaluations.parent / f"{n}.json" for n in ("metrics", "comparison", "gate"))
    line = compare.main(evaluations, metrics, comparison, verdict, params(min_rows, **gates), evaluate)
    assert set(json.loads(comparison.read_text())) == set(evaluate.suites)
    return line, json.loads(metrics.read_text()), json.loads(verdict.read_text())


BOTH = Evaluate(models=["base", "sft"], suites=["chat", "more"])


def test_metrics_of_suites_other_than_the_main_one_are_prefixed(evaluations: Path) -> None:
    _, metrics, _ = run(evaluations, BOTH)

    assert metrics == {
        "base": {"exact_match": 0.0, "more.schema": 0.0},
        "sft": {"exact_match": 0.5, "more.schema": 0.5},
    }


def test_a_gate_judges_the_suite_that_its_metric_names(evaluations: Path) -> None:
    scoring.write(evaluations / "base-more.jsonl", answers(1.0, 1.0, metric="schema"))
    _, _, verdict = run(evaluations, BOTH, better=gate(0.1, metric="more.schema", against="base"), main=gate(0.5))

    assert list(verdict["gates"]) == ["better", "main"]
    assert verdict["gates"]["better"]["why"] == ("more.schema: the gain of sft on base is -0.5000, want at least 0.1")
    assert (verdict["gates"]["main"]["verdict"], verdict["verdict"]) == ("pass", "fail")


def test_a_gate_counts_the_rows_of_its_own_suite(evaluations: Path) -> None:
    for model in ("base", "sft"):
        scoring.write(evaluations / f"{model}-more.jsonl", answers(1.0, metric="schema"))

    gates = {"few": gate(0.1, metric="more.schema"), "none": gate(0.1, metric="less.schema"), "enough": gate(0.5)}
    _, _, verdict = run(evaluations, BOTH, min_rows=2, **gates)

    assert verdict["gates"]["few"]["why"] == "1 rows, want at least 2"
    assert verdict["gates"]["none"]["why"] == "less.schema of sft was not measured"
    assert verdict["gates"]["enough"]["verdict"] == "pass"


def test_without_gates_the_verdict_is_fail(evaluations: Path) -> None:
    line, _, verdict = run(evaluations, BOTH)

    assert verdict == {"verdict": "fail", "gates": {}}
    assert line == "no gates declared: verdict fail; add some to compare.gates"


def test_one_failed_gate_fails_the_verdict_and_is_named(evaluations: Path) -> None:
    line, _, verdict = run(evaluations, BOTH, low=gate(0.5), high=gate(0.9))

    assert (verdict["verdict"], verdict["gates"]["low"]["verdict"]) == ("fail", "pass")
    assert line == "1 of 2 gates pass; FAILED: high"
    assert run(evaluations, BOTH, low=gate(0.5))[2]["verdict"] == "pass"


def test_files_of_a_model_that_is_no_longer_declared_are_an_error(evaluations: Path) -> None:
    with pytest.raises(UserError, match=r"sft-chat\.json, sft-chat\.jsonl, sft-more\.json, sft-more\.jsonl: left"):
        compare.read(evaluations, Evaluate(models=["base"], suites=["chat", "more"]))


def test_models_that_answered_different_rows_are_an_error(evaluations: Path) -> None:
    scoring.write(evaluations / "sft-more.jsonl", answers(1.0, metric="schema"))

    with pytest.raises(UserError, match=r"models answered different rows of more: want the same; run `dvc repro`$"):
        compare.read(evaluations, BOTH)
