"""Agreement, kappa and biases by hand, and kappa as scikit-learn has it; intervals are of questions."""

import json
from itertools import product

import numpy as np
import pytest

from stages.evaluating.judging import agreement
from stages.evaluating.judging.agreement import Case, Estimate
from stages.reporting import annotations
from tests.conftest import ROOT

REFERENCES = json.loads((ROOT / "tests/evaluating/metrics/references.json").read_text("utf-8"))


def cases(*counts: tuple[int, int, int]) -> list[Case]:
    """(people's mark, the judge's, how often)."""
    marks = [(a, b) for a, b, n in counts for _ in range(n)]
    return [Case(f"q{i}", a, b, float(b - a), 10) for i, (a, b) in enumerate(marks)]


def test_kappa_is_the_agreement_beyond_chance() -> None:
    """Same on 35 of 50: 0.7; by chance 0.5 · 0.6 + 0.5 · 0.4 = 0.5; (0.7 - 0.5) / (1 - 0.5)."""
    found = cases((1, 1, 20), (1, 0, 5), (0, 1, 10), (0, 0, 15))

    assert agreement.agreement(found) == Estimate(0.7, 0.5625, 0.809, 50)  # Wilson 1927
    kappa = agreement.kappa(found, 2)
    assert kappa and (kappa.value, kappa.of) == (0.4, 50)
    assert kappa.low == pytest.approx(0.15, abs=0.04) and kappa.high == pytest.approx(0.65, abs=0.04)


def test_kappa_is_that_of_scikit_learn_and_of_annotators() -> None:
    assert len(REFERENCES["said"]["kappa"]) > 3
    for (one, other), said in zip(REFERENCES["inputs"]["labels"], REFERENCES["said"]["kappa"], strict=True):
        names = sorted({*one, *other})
        counts = np.zeros((len(names), len(names)))
        for a, b in zip(one, other, strict=True):
            counts[names.index(a), names.index(b)] += 1

        found = float(agreement.kappas(counts.reshape(-1)))

        assert found == pytest.approx(said, abs=1e-12)
        assert found == pytest.approx(annotations.kappa(one, other), abs=1e-12)


def test_where_all_marks_are_one_there_is_no_kappa() -> None:
    assert agreement.kappa(cases((1, 1, 9)), 2) is None
    assert agreement.agreement(cases((1, 1, 9))).value == 1


def test_draws_without_a_kappa_are_left_out_and_counted() -> None:
    """Two differ in a mark of one of ten: (9/10)^10 = 0.35 of the draws are without it, and have one mark alone."""
    found = agreement.kappa(cases((1, 1, 9), (0, 0, 1)), 2)

    assert found and (found.low, found.high) == (1.0, 1.0)
    assert found.empty_draws == pytest.approx(0.35 * agreement.SAMPLES, rel=0.1)
    assert agreement.kappa(cases((1, 1, 20), (0, 0, 20)), 2).empty_draws == 0


def test_many_marks_of_one_question_are_one_piece_of_evidence() -> None:
    found = cases((1, 1, 20), (1, 0, 5), (0, 1, 10), (0, 0, 15))
    repeated = [case for case in found for _ in range(4)]

    once, again = agreement.kappa(found, 2), agreement.kappa(repeated, 2)

    assert once and again and (again.value, again.low, again.high) == (once.value, once.low, once.high)


def test_the_bias_by_position_is_how_much_more_often_the_first_place_is_preferred() -> None:
    """Both orders of 10 pairs: 4 always first, 4 the same answer, 1 neither, 1 always second: (4 · 1/2 - 1/2) / 10."""
    firsts = [*[[1.0, 1.0]] * 4, *[[1.0, 0.0]] * 2, *[[0.0, 1.0]] * 2, [0.5, 0.5], [0.0, 0.0]]
    pairs = [(f"q{i}", places) for i, places in enumerate(firsts)]

    position, consistency = agreement.position(pairs), agreement.consistency(pairs)

    assert position and (position.value, position.of) == (0.15, 10) and position.low < 0.15 < position.high
    assert consistency == Estimate(0.5, 0.2366, 0.7634, 10)
    assert agreement.position([]) is agreement.consistency([]) is None


def test_a_judge_that_always_says_first_has_the_whole_bias() -> None:
    position = agreement.position([("q", [1.0, 1.0]), ("r", [1.0, 1.0])])

    assert position == Estimate(0.5, 0.5, 0.5, 2)


def test_the_bias_by_length_of_pairs_is_the_error_towards_the_longer_answer() -> None:
    """+1/2 for a longer one, -1/2 for a shorter one, 0 for a longer one; equal lengths do not count."""
    found = [Case("a", 1, 2, 0.5, 9), Case("b", 1, 0, -0.5, -3), Case("c", 1, 1, 0.0, 2), Case("d", 0, 2, 1.0, 0)]

    bias = agreement.verbosity(found, pairs=True)

    assert bias and (bias.value, bias.of) == (0.3333, 3)
    assert agreement.verbosity(found[3:], pairs=True) is None


def test_the_bias_by_length_of_answers_is_what_the_longer_half_gains_on_the_other() -> None:
    """Errors of the longer half: 0.5 and 0.25; of the other: 0 and -0.25."""
    found = [Case(f"q{n}", 0, 0, error, n) for n, error in ((1, 0.0), (2, -0.25), (3, 0.5), (4, 0.25))]

    bias = agreement.verbosity(found, pairs=False)

    assert bias and (bias.value, bias.of) == (0.5, 4) and bias.low <= 0.5 <= bias.high
    assert agreement.verbosity([case._replace(chars=7) for case in found], pairs=False) is None


@pytest.mark.parametrize(("score", "side"), [(0, 0), (0.25, 0), (0.5, 1), (0.75, 2), (1, 2)])
def test_a_pair_is_lost_equal_or_won(score: float, side: int) -> None:
    assert agreement.side(score) == side


def test_intervals_of_kappa_hold_a_known_one() -> None:
    """Two that agree with probability 0.8 on two marks of equal share: kappa 0.6."""
    rng, held = np.random.default_rng(3), 0
    for _ in range(60):
        people = rng.integers(0, 2, 150)
        judge = np.where(rng.random(150) < 0.8, people, 1 - people)
        counts = [(a, b, int(((people == a) & (judge == b)).sum())) for a, b in product((0, 1), repeat=2)]
        kappa = agreement.kappa(cases(*counts), 2)
        held += bool(kappa and kappa.low <= 0.6 <= kappa.high)

    assert held >= 53
