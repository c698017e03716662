"""chrF: sacrebleu's corpus scores, from sums over rows."""

import random

import pytest
import sacrebleu

from stages.answers.call_forms import Call
from stages.answers.reply import Reply
from stages.evaluating import metrics, scoring
from stages.evaluating.metrics import chrf
from stages.params.evaluation import Suite
from tests.evaluating.made_up_answers import answered

SUITE = Suite(metrics=["chrf"], label=None, slots=[], answer_schema=None)
WORDS = ["Заказ", "будет", "завтра", "订单明天到", "order", "4", "late", "é", "ok", "yes"]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rows", [1, 3, 40])
def test_its_value_is_sacrebleus_corpus_score(seed: int, rows: int) -> None:
    dice = random.Random(seed)
    expected, given = ([" ".join(dice.choices(WORDS, k=dice.randint(1, 9))) for _ in range(rows)] for _ in range(2))
    given = ["" if dice.random() < 0.1 else text for text in given]
    scored = answered(expected, given, SUITE)

    reference = sacrebleu.corpus_chrf(given, [expected]).score
    sums = scoring.statistics(scored)["chrf"].sum(axis=0)
    assert float(metrics.value("chrf", sums)) == pytest.approx(reference, rel=1e-12, abs=1e-12)
    assert scoring.totals(scored)["chrf"] == round(reference, 6)


def test_short_answers_in_any_script_have_a_score() -> None:
    assert scoring.totals(answered(["да", "好"], ["да", "好"], SUITE)) == {"chrf": 100.0}
    assert scoring.totals(answered(["да", "好"], ["нет", "否"], SUITE)) == {"chrf": 0.0}


def test_statistics_are_n_grams_of_both_and_in_both() -> None:
    # `a b` is ab: of unigrams 2, 3 and 2 in both, of bigrams 1, 2 and 1, of trigrams 0, 1 and 0
    assert chrf.score(Reply("abc"), Reply("a b"), SUITE) == {"chrf": (2, 3, 2, 1, 2, 1, 0, 1, 0, *[0] * 9)}
    assert chrf.score(Reply("", [Call("f", {})]), Reply("some text"), SUITE) == {"chrf": (0,) * 18}
