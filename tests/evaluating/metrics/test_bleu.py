"""BLEU: sacrebleu's corpus scores, from sums over rows."""

import random
import subprocess
import sys

import pytest
import sacrebleu

from stages.answers.call_forms import Call
from stages.answers.reply import Reply
from stages.evaluating import metrics, scoring
from stages.evaluating.metrics import bleu, bleu_zh
from stages.params.evaluation import Suite
from tests.conftest import ROOT
from tests.evaluating.made_up_answers import answered

SUITE = Suite(metrics=["bleu", "bleu_zh"], label=None, slots=[], answer_schema=None)
WORDS = [
    "The",
    "order,",
    "no.",
    "4.5%,",
    "isn't",
    "here",
    "&",
    "the",
    "courier's",
    "late;",
    "(sorry!)",
    "it",
    "comes",
    ".",
]
CHINESE = "您的订单明天到达，请在 APP 查看 2 号包裹。"


def texts(seed: int, rows: int) -> tuple[list[str], list[str]]:
    """Expected answers, and answers with some words lost, swapped or repeated; some are empty."""
    dice = random.Random(seed)
    expected = [" ".join(dice.choices(WORDS, k=dice.randint(1, 25))) for _ in range(rows)]
    given = [" ".join(w if dice.random() < 0.7 else dice.choice(WORDS) for w in text.split() if dice.random() < 0.9)
             for text in expected]  # fmt: skip
    return expected, given


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rows", [1, 3, 40])
def test_its_value_is_sacrebleus_corpus_score(seed: int, rows: int) -> None:
    expected, given = texts(seed, rows)
    scored = answered(expected, given, SUITE)

    for name, tokenizer in (("bleu", "13a"), ("bleu_zh", "zh")):
        reference = sacrebleu.corpus_bleu(given, [expected], tokenize=tokenizer).score
        sums = scoring.statistics(scored)[name].sum(axis=0)
        assert float(metrics.value(name, sums)) == pytest.approx(reference, rel=1e-12, abs=1e-12)
        assert scoring.totals(scored)[name] == round(reference, 6)


def test_a_draw_of_rows_has_the_score_of_these_rows() -> None:
    expected, given = texts(7, 30)
    statistics = scoring.statistics(answered(expected, given, SUITE))["bleu"]
    draw = random.Random(1).choices(range(30), k=30)

    reference = sacrebleu.corpus_bleu([given[i] for i in draw], [[expected[i] for i in draw]]).score
    assert float(metrics.value("bleu", statistics[draw].sum(axis=0))) == pytest.approx(reference, rel=1e-12)


def test_every_answer_counts_not_the_first_alone() -> None:
    """sacrebleu takes references a position at a time; given a list for each answer, it scores the first alone."""
    expected, given = ["the order comes on monday", "the parcel was sent today"], ["the order comes on monday", "no"]

    assert sacrebleu.corpus_bleu(given, [[text] for text in expected]).score == pytest.approx(100)
    assert scoring.totals(answered(expected, given, SUITE))["bleu"] < 70


def test_an_expected_answer_of_fewer_than_four_tokens_cannot_be_compared() -> None:
    """Were all such, right answers would have a BLEU of 0."""
    assert scoring.totals(answered(["on monday", "yes"], ["on monday", "yes"], SUITE))["bleu"] == 0
    assert not bleu.usable(Reply("It comes monday"), SUITE)
    assert bleu.usable(Reply("It comes monday."), SUITE)


def test_chinese_has_tokens_to_bleu_zh_alone() -> None:
    assert not bleu.usable(Reply("您的订单明天到达"), SUITE)
    assert bleu_zh.usable(Reply("您的订单明天到达"), SUITE)

    right, other = answered([CHINESE], [CHINESE], SUITE), answered([CHINESE], [CHINESE.replace("明", "今")], SUITE)
    assert scoring.totals(right)["bleu_zh"] == 100
    assert 50 < scoring.totals(other)["bleu_zh"] < 100


def test_a_call_or_an_empty_text_breaks_nothing() -> None:
    assert bleu.score(Reply("", [Call("f", {})]), Reply("some text"), SUITE) == {"bleu": (0,) * 10}
    assert bleu.score(Reply(""), Reply("a b c d"), SUITE) == {"bleu": (4, 0, 0, 0, 0, 0, 4, 3, 2, 1)}
    assert bleu.score(Reply("a b c d"), Reply(""), SUITE) == {"bleu": (0, 4, 0, 0, 0, 0, 0, 0, 0, 0)}


def test_what_it_loads_is_in_the_key_of_a_suite_that_uses_it() -> None:
    """The harness refuses a stage that loads packages that its key lacks."""
    program = """if True:
        import sys
        from pathlib import Path

        before = {*sys.modules}
        from modelmake.keys import loaded_packages, stage_key
        from stages.answers.reply import Reply
        from stages.evaluating.metrics import bleu_zh, chrf

        names = [module.__name__ for module in (bleu_zh, chrf)]
        packages = stage_key.compute(Path("."), "stages.evaluate", names)["packages"]
        print(bleu_zh.score(Reply("a b"), Reply("a"), None), chrf.score(Reply("a"), Reply("a"), None)["chrf"][:3])
        loaded = {name: module for name, module in sys.modules.items() if name not in before}
        print("sacrebleu" in loaded, loaded_packages.uncovered(Path("uv.lock"), loaded, packages))
    """
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert run.stdout.splitlines() == ["{'bleu_zh': (1, 2, 1, 0, 0, 0, 1, 0, 0, 0)} (1, 1, 1)", "True []"]
