"""Tasks of lm-eval in params: what they cannot have is one exact line, and without any nothing changes."""

import copy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelmake import params
from stages import preflight
from stages.params import cross_checks, file_checks
from tests.evaluating.lm_eval.made_up_tasks import PARAMS as TASK

PARAMS = params.load(Path(__file__).parents[2] / "params.yaml")


def decoded(task: str = "colours", **changes: Any) -> tuple[dict[str, Any], list[str]]:
    values = copy.deepcopy(PARAMS)
    values["evaluate"]["tasks"] = {task: msgspec.to_builtins(TASK) | changes}
    return preflight.decode(values)


def gated(metric: str, **changes: Any) -> list[str]:
    """What is wrong with a gate on a metric of the task `colours`."""
    values = copy.deepcopy(PARAMS)
    values["evaluate"]["tasks"] = {"colours": msgspec.to_builtins(TASK)}
    gate = {"model": "dpo", "metric": metric, "against": "base", "bound": -0.02, "where": None}
    values["compare"]["gates"] = {"stays": gate | changes}
    return cross_checks.problems(preflight.decode(values)[0])


def test_params_from_before_there_were_tasks_are_right() -> None:
    values = copy.deepcopy(PARAMS)
    values["evaluate"].pop("tasks", None)
    chapters, problems = preflight.decode(values)

    assert problems == [] and chapters["evaluate"].tasks == {}
    assert chapters["evaluate"].measured() == chapters["evaluate"].suites


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"metrics": []}, "metrics: is empty: want some of the task's"),
        ({"metrics": ["bleu"]},
         "metrics = 'bleu': want a mean over rows, or one of likelihoods; measure it in a suite"),
        ({"limit": 5}, "limit: unknown key; want one of apply_chat_template, batch_size, max_gen_toks, max_rows, "
         "metrics, num_fewshot, seed, strip_answers, system_instruction, until"),
    ],
)  # fmt: skip
def test_a_task_is_refused(changes: dict[str, Any], line: str) -> None:
    assert decoded(**changes)[1] == [f"params.yaml: evaluate.tasks.colours.{line}"]


def test_a_task_has_no_name_of_a_suite_and_a_folder() -> None:
    [problem] = cross_checks.problems(decoded("chat")[0])
    assert problem.startswith("evaluate.tasks: name 'chat': is taken by a suite")
    [problem] = file_checks.task_problems(decoded()[0]["evaluate"])
    assert problem.startswith("params.yaml: evaluate.tasks.colours: no folder data/lm_eval/colours: want colours.yaml")


def test_gates_may_be_on_metrics_of_tasks() -> None:
    assert gated("colours.acc") == []
    assert gated("colours.acc", bound=-2.0) == [
        "compare.gates.stays.bound = -2: want -1 to 1, the range of differences of colours.acc"
    ]
    assert gated("colours.acc", where={"intent": "refund"}) == [
        "compare.gates.stays.where.intent: want null: no field of the answers that colours.acc is of"
    ]
    [problem] = gated("colours.f1")
    assert problem.startswith("compare.gates.stays.metric = 'colours.f1': want one of ") and "colours.acc" in problem
