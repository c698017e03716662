"""Chapters of the page that are there only where their data is, and what stages tell beside their figures."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.made_up_build import Build, entry
from tests.test_report import visible_text


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path)


def test_the_first_lines_say_what_would_have_done_without_the_fine_tune_and_a_table_what_it_costs(build: Build) -> None:
    text = visible_text(build, "examined")

    told = "base would have done in place of dpo: worse by at most 0.02 in exact_match"
    assert text.index("The gate holds") < text.index(told) < text.index("questions right")
    assert "dpo the fine-tune 0.750 – 0.108 EUR 60 + 12 tokens each 100 EUR –" in text
    assert (
        "base would have done 0.740 −0.010 −0.018 to −0.002 0.8684 EUR 820 + 12 tokens each 0 EUR "
        "from 131,580 requests" in text
    )
    assert "sft not settled 1,200 more rows would settle it, if it stays so" in text and "unknown 0 EUR unknown" in text


def test_slices_that_got_worse_come_first_with_how_many_were_looked_at(build: Build) -> None:
    text = visible_text(build, "examined")

    assert "dpo is worse in 1 and better in 0 of 3 scores of slices, all looks taken together." in text
    assert "about 0.2 of the differences would lie outside of 0 by chance" in text
    assert "label refund 40 exact_match 0.500 0.400 to 0.600 0.900 −0.400 worse −0.500 to −0.300" in text
    assert "by label: 2 slices of 3 rows are too small; by group: 8 rows are in none." in text


def test_rows_that_got_worse_stand_beside_the_training_rows_most_like_them(build: Build) -> None:
    text = visible_text(build, "examined")

    assert "dpo lost exact_match against sft on 3 of 8 questions of chat, and won it on 1; 3 stand here" in text
    assert "reports/examine/last.train.jsonl" in text
    assert 'I want refund 0 label refund; data/raw/desk.jsonl:0 expected {"intent":"refund"}' in text
    assert "62 % alike; data/raw/desk.jsonl:17 Money back, please" in text


def test_chapters_of_what_nobody_asked_for_are_absent(build: Build) -> None:
    text = visible_text(build)

    assert not {"Alternatives", "Slices", "Regressions"} & {*text.partition("Lineage")[0].split()}


def test_how_far_a_combined_adapter_is_from_the_exact_sum_is_told(build: Build) -> None:
    text = visible_text(build, "combined")

    assert "both 0.5 × dpo + 0.25 × tone cat 64 0.012 0.25 model.layers.1.mlp.up_proj" in text
    assert "combine@both 2 kB + 2 kB + 2 kB → 2 kB + 2 kB off the exact sum by 0.012 of it" in text


def test_what_evaluate_tells_beside_its_values_is_shown(build: Build) -> None:
    build.told = {"outcomes": {"pass_at_1": {"passed": 6, "timed_out": 2}}, "unusable": {"pass_at_1": 1}}
    build.answers[0] = replace(build.answers[0], told={"pass_at_1": ["timed_out: 10 s"]})

    text = visible_text(build)
    assert (
        "pass_at_1 of sft: 6 passed, 2 timed out" in text and "1 expected answer lacks what pass_at_1 compares" in text
    )
    assert "pass_at_1: timed_out: 10 s" in text


def test_what_lm_eval_and_a_judge_tell_is_shown(build: Build) -> None:
    rubrics = {"polite": {"binding": "a1", "calibration": "stale", "marked": 40, "unjudged": {"cut_short": 3}}}
    build.told = {"stderr": {"exact_match": 0.0123}, "spaced": {"exact_match": 2}, "cut": 4, "held_back": 5}
    build.judged = {"rubrics": rubrics}

    text = visible_text(build)
    assert "exact_match of sft: standard error 0.012 by lm-eval; 2 answers wrong by white space alone" in text
    assert "4 answers of sft had not ended" in text and "5 questions also stand among the rows" in text
    assert "polite of sft: calibration of the judge stale, 40 marked by people; 3 without a mark: cut short" in text


def test_a_warning_of_a_gate_and_the_noise_of_training_are_told(build: Build) -> None:
    build.gates["sft_answers"] |= {"warning": True, "noise": 0.0123}

    text = visible_text(build)
    assert "A warning: they do not show that it holds warn too." in text
    assert "Models trained with other seeds differ by 0.012, a standard deviation" in text


def test_marks_that_would_settle_a_gate_are_told_and_draws_that_say_nothing(build: Build) -> None:
    build.gates["sft_answers"] |= {"verdict": "INCONCLUSIVE", "more_rows": 0, "more_marks": 40, "empty_draws": 18}
    gain = (0.1, 0.0, 0.2)
    models = {
        "base": entry(0.5),
        "sft": entry(0.6, gain) | {"empty_draws": 65},
        "dpo": entry(0.6, gain),
    }
    models["sft"]["difference_empty_draws"], models["dpo"]["difference_empty_draws"] = 65, 71
    build.comparison = {"chat": {model: {"exact_match": of_model} for model, of_model in models.items()}}

    text = visible_text(build)
    assert "40 more marks of people would settle it, if it stays so." in text
    assert "18 of 2,000 draws hold no row that counts and are left out." in text
    assert "65 of 2,000 draws hold no row that counts for exact_match of sft, and are left out of its interval" in text
    assert "71 of 2,000 draws hold no row that counts for exact_match of dpo or of base, and are left out of" in text
    assert text.count("left out of the interval of their difference") == 1

    build.gates["sft_answers"] |= {"more_rows": 1200, "more_marks": 300}
    assert "1,200 more rows with 300 more marks of people would settle it" in visible_text(build)
