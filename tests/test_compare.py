"""Intervals contain the value and are reproducible; the files say what was compared and which rows were looked at."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages import compare
from stages.evaluating import metrics, scoring
from stages.evaluating.gates import Measured
from stages.params.evaluation import Compare, Evaluate, Gate
from stages.params.lm_eval import Task
from stages.params.variation import Variant


def params(min_rows: int = 1, seed: int = 1, **gates: Gate) -> Compare:
    return Compare(
        suite="chat", baseline="base", bootstrap_samples=500, confidence=0.95, looks=1, power=0.8, seed=seed,
        min_rows=min_rows, gates=gates,
    )  # fmt: skip


HIGHER = metrics.Metric("higher", 0, 1, "")._asdict()
LOWER = metrics.Metric("lower", 0, None, "")._asdict()
DECLARED = {"exact_match": HIGHER, "schema": HIGHER, "bits_per_byte": LOWER}


def answers(*hits: float, metric: str = "exact_match", denominator: float = 1.0) -> list[scoring.Answer]:
    return [
        scoring.Answer(f"{i:03}", f"prompt {i}", "e", "a", {metric: (hit, denominator)}) for i, hit in enumerate(hits)
    ]


def half(rows: int) -> list[scoring.Answer]:
    return answers(*[0.0, 1.0] * (rows // 2))


def compared(models: dict[str, Any], seed: int = 1) -> dict[str, Any]:
    return compare.compare(Measured(models, DECLARED), params(seed=seed))


def entry(models: dict[str, Any], model: str, seed: int = 1) -> dict[str, float]:
    return compared(models, seed)[model]["exact_match"]


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

    entry = compared(losses)["sft"]["bits_per_byte"]
    assert (entry["better"], entry["least"], entry["most"]) == ("lower", 0, None)
    assert entry["difference"] == -0.5


def test_a_metric_that_no_row_counts_for_is_left_out() -> None:
    nothing, something = answers(0.0, 0.0, denominator=0.0), answers(0.0, 1.0)

    assert compared({"base": nothing, "sft": nothing}) == {"base": {}, "sft": {}}
    found = compared({"base": nothing, "sft": something})
    assert (found["base"], found["sft"]["exact_match"]["value"]) == ({}, 0.5)
    assert "difference" not in found["sft"]["exact_match"]


def test_draws_in_which_nothing_counts_are_left_out_of_intervals_and_told(evaluations: Path) -> None:
    """Two of 50 rows count: (48/50)^50 = 13 % of the 500 draws have none of them, and no score of 0."""
    for model, hits in (("base", (0.0, 1.0)), ("sft", (1.0, 1.0))):
        counted = [msgspec.structs.replace(a, scores={"exact_match": (0.0, 0.0)}) for a in half(50)]
        scored = zip(counted, hits, strict=False)
        counted[:2] = [msgspec.structs.replace(a, scores={"exact_match": (hit, 1.0)}) for a, hit in scored]
        scoring.write(evaluations / f"{model}-chat.jsonl", counted)
    line, _, _ = run(evaluations, BOTH)

    found = json.loads((evaluations.parent / "comparison.json").read_text())
    sft = found["chat"]["sft"]["exact_match"]
    assert (sft["value"], sft["low"], sft["high"], sft["stderr"]) == (1.0, 1.0, 1.0, 0.0)
    assert sft["empty_draws"] == sft["difference_empty_draws"] == pytest.approx(65, abs=25)
    assert (sft["difference"], sft["difference_low"], sft["difference_high"]) == (0.5, 0.0, 1.0)
    told = f"; {sft['empty_draws']} of 500 draws hold no row that counts for sft exact_match of chat"
    assert line.endswith(f"{told}, as many or fewer for 1 more: left out")
    assert "empty_draws" not in found["more"]["sft"]["schema"]


def test_a_score_of_which_no_draw_says_anything_has_no_interval() -> None:
    one_counts = [*answers(1.0), *answers(0.0, 0.0, denominator=0.0)[1:]]

    with pytest.raises(UserError, match=r"^compare.bootstrap_samples = 1: in none of these draws any row counts for"):
        for seed in range(40):  # one of four draws of two rows holds the second alone
            few = msgspec.structs.replace(params(), bootstrap_samples=1, seed=seed)
            compare.compare(Measured({"base": one_counts}, DECLARED), few)


def test_the_same_prompt_asked_again_makes_no_interval_narrower() -> None:
    once, again = half(20), [answer for answer in half(20) for _ in range(20)]

    assert entry({"base": again}, "base") == entry({"base": once}, "base")


def gate(bound: float, against: str | None = None, metric: str = "exact_match", model: str = "sft") -> Gate:
    return Gate(model, metric, against, bound, None)


@pytest.fixture
def evaluations(tmp_path: Path) -> Path:
    folder = tmp_path / "evaluate"
    folder.mkdir()
    for model, right in (("base", 0), ("sft", 45)):
        hits = [1.0] * right + [0.0] * (50 - right)
        scoring.write(folder / f"{model}-chat.jsonl", answers(*hits))
        scoring.write(folder / f"{model}-more.jsonl", answers(*hits, metric="schema"))
        for suite in ("chat", "more"):
            (folder / f"{model}-{suite}.json").write_text(json.dumps({"rows": 50, "metrics": {}, "declared": DECLARED}))
    return folder


def run(
    evaluations: Path, evaluate: Evaluate, min_rows: int = 1, **gates: Gate
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    metrics, comparison, verdict = (evaluations.parent / f"{n}.json" for n in ("metrics", "comparison", "gate"))
    archive = evaluations.parent / "archive"
    archive.mkdir(exist_ok=True)
    line = compare.main(evaluations, metrics, comparison, verdict, archive, params(min_rows, **gates), evaluate)
    assert set(json.loads(comparison.read_text())) == set(evaluate.measured())
    return line, json.loads(metrics.read_text()), json.loads(verdict.read_text())


BOTH = Evaluate(models=["base", "sft"], suites=["chat", "more"])
TASK = Task(
    metrics=["acc"], num_fewshot=0, seed=1, apply_chat_template=False, system_instruction=None, until=None,
    max_gen_toks=None, strip_answers=False, max_rows=None, batch_size=1,
)  # fmt: skip


def test_metrics_of_suites_other_than_the_main_one_are_prefixed(evaluations: Path) -> None:
    _, metrics, _ = run(evaluations, BOTH)

    assert metrics == {
        "base": {"exact_match": 0.0, "more.schema": 0.0},
        "sft": {"exact_match": 0.9, "more.schema": 0.9},
    }


def test_the_line_names_every_gate_that_does_not_allow(evaluations: Path) -> None:
    gates = {
        "better": gate(0.5, metric="more.schema", against="base"),
        "low": gate(0.5, model="base"),
        "close": gate(0.88),
    }
    line, _, verdict = run(evaluations, BOTH, **gates)

    assert {name: of["verdict"] for name, of in verdict["gates"].items()} == {
        "better": "ALLOW", "low": "REJECT", "close": "INCONCLUSIVE",
    }  # fmt: skip
    assert (line, verdict["verdict"]) == ("1 of 3 gates ALLOW; low: REJECT; close: INCONCLUSIVE", "REJECT")
    assert run(evaluations, BOTH, better=gates["better"])[0] == "1 of 1 gates ALLOW"


def test_a_gate_counts_the_rows_of_its_own_suite(evaluations: Path) -> None:
    for model in ("base", "sft"):
        scoring.write(evaluations / f"{model}-more.jsonl", answers(1.0, metric="schema"))

    gates = {"few": gate(0.1, metric="more.schema"), "none": gate(0.1, metric="less.schema"), "enough": gate(0.5)}
    _, _, verdict = run(evaluations, BOTH, min_rows=2, **gates)

    assert verdict["gates"]["few"]["why"] == "more.schema of sft is 1.0000, want at least 0.1; 1 rows, want at least 2"
    assert verdict["gates"]["none"]["why"] == "less.schema of sft was not measured"
    assert verdict["gates"]["enough"]["verdict"] == "ALLOW"


def test_without_gates_the_verdict_is_reject(evaluations: Path) -> None:
    line, _, verdict = run(evaluations, BOTH)

    assert (verdict["verdict"], verdict["gates"]) == ("REJECT", {})
    assert line == "no gates declared: REJECT; add some to compare.gates"


def test_the_gates_say_what_was_looked_at(evaluations: Path) -> None:
    _, _, verdict = run(evaluations, BOTH, enough=gate(0.5))

    seen = verdict["suites"]["chat"]
    assert (verdict["error"], verdict["looks"]) == (0.05, 1)
    assert (seen["rows"], seen["sample"]) == (50, [f"{i:03}" for i in range(32)])
    scoring.write(evaluations / "sft-chat.jsonl", [a for a in answers(*[1.0] * 50)])
    same = run(evaluations, BOTH, enough=gate(0.5))[2]["suites"]
    assert same == verdict["suites"], "the same answers, however they are scored"
    other = [scoring.Answer(a.id, a.prompt, a.expected, "b", a.scores) for a in answers(*[1.0] * 50)]
    scoring.write(evaluations / "sft-chat.jsonl", other)
    changed = run(evaluations, BOTH, enough=gate(0.5))[2]["suites"]
    assert changed["chat"]["answers"] != seen["answers"]
    assert changed["more"] == verdict["suites"]["more"]


def test_every_look_is_kept_once_beside_the_cache_and_no_output_tells_of_it(evaluations: Path) -> None:
    first = run(evaluations, BOTH, enough=gate(0.5))
    archive = evaluations.parent / "archive"

    assert run(evaluations, BOTH, enough=gate(0.5)) == first
    assert [json.loads(file.read_text()) for file in archive.iterdir()] == [first[2]]
    run(evaluations, BOTH, enough=gate(0.6))
    assert len(list(archive.glob("*.json"))) == len(list(archive.iterdir())) == 2


def test_files_of_a_model_that_is_no_longer_declared_are_an_error(evaluations: Path) -> None:
    with pytest.raises(UserError, match=r"sft-chat\.json, sft-chat\.jsonl, sft-more\.json, sft-more\.jsonl: left"):
        compare.read(evaluations, Evaluate(models=["base"], suites=["chat", "more"]))


def test_models_that_answered_different_rows_are_an_error(evaluations: Path) -> None:
    scoring.write(evaluations / "sft-more.jsonl", answers(1.0, metric="schema"))

    with pytest.raises(UserError, match=r"models answered different rows of more: want the same; run `dvc repro`$"):
        compare.read(evaluations, BOTH)


def test_a_suite_without_metrics_is_only_answered() -> None:
    models = {"base": [scoring.Answer("1", "p", "e", "a", {})], "sft": [scoring.Answer("1", "p", "e", "b", {})]}

    assert compared(models) == {"base": {}, "sft": {}}


def test_of_a_task_of_likelihoods_other_scores_are_another_look(evaluations: Path) -> None:
    """Its rows have the likeliest choice, or no answer: what a model found likely is in the scores alone."""
    evaluate = Evaluate(models=["base", "sft"], suites=["chat"], tasks={"more": TASK})
    silent = [msgspec.structs.replace(a, answer="") for a in answers(*[0.0] * 50, metric="schema")]

    def looked(model: str, rows: list[scoring.Answer]) -> dict[str, Any]:
        scoring.write(evaluations / f"{model}-more.jsonl", rows)
        return run(evaluations, evaluate)[2]["suites"]

    looked("base", silent)
    first = looked("sft", silent)
    other = looked("sft", [msgspec.structs.replace(silent[0], scores={"schema": (1.0, 1.0)}), *silent[1:]])
    assert other["chat"] == first["chat"]
    assert other["more"]["answers"] != first["more"]["answers"]
    assert looked("sft", silent) == first


def test_a_variant_is_compared_as_a_suite(evaluations: Path) -> None:
    loud = Variant(rows="x", system_prompt="keep", typos=0.0, spaces=0.0, case="upper", seed=1)
    suites, settings = Evaluate(models=["base", "sft"], suites=["chat"], variants={"more": loud}), params()

    found = compare.read(evaluations, suites)
    assert list(found) == ["chat", "more"]
    compared = {name: compare.compare(suite, settings) for name, suite in found.items()}
    assert compare.by_model(compared, settings, suites)["sft"] == {"exact_match": 0.9, "more.schema": 0.9}
