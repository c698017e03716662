"""A metric that needs several answers to a row is refused where there will be fewer."""

import pytest

from stages.params import answering_checks
from stages.params.answering import Answering, Greedy, Sampled
from stages.params.evaluation import Suite


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Greedy(max_new_tokens=8, batch_size=1), 1),
        (Sampled(8, 1, num_return_sequences=9, temperature=0.8, top_k=None, top_p=1, seed=1), 9),
        (Sampled(8, 1, num_return_sequences=10, temperature=0.8, top_k=None, top_p=1, seed=1), None),
    ],
)
def test_pass_at_10_of_fewer_than_ten_samples_is_refused(answer: Answering, found: int | None) -> None:
    suite = Suite(["pass_at_1", "pass_at_10"], label=None, slots=[], answer_schema=None)

    problems = answering_checks.problems({"answer": {"code": answer}, "suites": {"code": suite}})

    assert problems == ([] if found is None else [
        "suites.code.metrics: pass_at_10: want 10 answers to a row or more: answer.code: {kind: sampled, "
        f"num_return_sequences: 10, …}}; found {found}"
    ])  # fmt: skip
