"""Gates that could not decide anything are told before anything runs."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelmake import params
from stages import preflight
from stages.params import cross_checks

PARAMS = params.load(Path(__file__).parents[2] / "params.yaml")


def problems(change: Callable[[dict[str, Any]], Any]) -> list[str]:
    """Problems of the default params after an edit."""
    values = copy.deepcopy(PARAMS)
    change(values)
    chapters, found = preflight.decode(values)
    assert found == []
    return cross_checks.problems(chapters)


@pytest.mark.parametrize(
    ("samples", "looks", "found"),
    [
        (1199, 20, ""),
        (1198, 20, "1198: want at least 1199: the least p-value of as many samples is 0.00083, and the first of 3 "
                   "gates needs 0.00083"),
        (1199, 50, "1199: want at least 2999: the least p-value of as many samples is 0.00083, and the first of 3 "
                   "gates needs 0.00033"),
    ],
)  # fmt: skip
def test_too_few_samples_for_any_gate_to_allow_are_refused(samples: int, looks: int, found: str) -> None:
    def change(values: dict[str, Any]) -> None:
        values["compare"] |= {"bootstrap_samples": samples, "looks": looks}

    wanted = [f"compare.bootstrap_samples = {found}; so no gate could allow"] if found else []
    assert problems(change) == wanted
    assert problems(lambda values: (change(values), values["compare"].update(gates={}))) == []


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"against": "sft", "bound": -0.05, "warn": -0.02}, ""),
        ({"against": "sft", "bound": -0.05, "warn": -0.06}, "-0.06: want a better bound than -0.05, which rejects"),
        ({"against": "sft", "bound": -0.05, "warn": 2.0}, "2: want a better bound than -0.05, which rejects"),
        ({"metric": "exact_match", "bound": 0.8, "warn": 0.8}, "0.8: want a better bound than 0.8, which rejects"),
        ({"warn": 1.0}, "1: want less: no number of rows shows that there are no worse ones"),
        ({"against": "sft", "warn": 1.0}, "1: want less: no number of rows shows that there are no worse ones"),
        ({"metric": "repetition", "bound": 0.1, "warn": 0.0},
         "0: want more: no number of rows shows that there are no worse ones"),
    ],
)  # fmt: skip
def test_a_warning_asks_for_more_than_the_bound(changes: dict[str, Any], wanted: str) -> None:
    def change(values: dict[str, Any]) -> None:
        values["suites"]["chat"]["metrics"].append("repetition")
        gate = {"model": "dpo", "metric": "exact_match", "against": None, "bound": 0.5, "where": None}
        values["compare"]["gates"] = {"mine": gate | changes}

    assert problems(change) == ([f"compare.gates.mine.warn = {wanted}"] if wanted else [])


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"seed": 7}, []),
        ({}, ["compare.seeds.sft: again differs in nothing: want another seed alone"]),
        ({"seed": 7, "learning_rate": 0.1},
         ["compare.seeds.sft: again differs in seed, learning_rate: want another seed alone"]),
    ],
)  # fmt: skip
def test_the_noise_of_training_is_that_of_the_seed_alone(changes: dict[str, Any], wanted: list[str]) -> None:
    def change(values: dict[str, Any]) -> None:
        values["train"]["again"] = values["train"]["sft"] | changes
        values["evaluate"]["models"].append("again")
        values["compare"]["seeds"] = {"sft": ["again"]}

    assert problems(change) == wanted
    unknown = problems(lambda values: values["compare"].update(seeds={"sft": ["again"]}))
    assert unknown == ["compare.seeds.sft = 'again': want one of sft, dpo"]


@pytest.mark.parametrize(
    ("runs", "wanted"),
    [
        ([], ["compare.seeds.sft = []: want steps that were trained with other seeds"]),
        (["again", "again"], ["compare.seeds.sft: again has the seed of again: want each seed once"]),
        (["again", "third"], ["compare.seeds.sft: third has the seed of again: want each seed once"]),
    ],
)
def test_the_noise_of_training_is_of_several_seeds(runs: list[str], wanted: list[str]) -> None:
    def change(values: dict[str, Any]) -> None:
        for run in ("again", "third"):
            values["train"][run] = values["train"]["sft"] | {"seed": 7}
            values["evaluate"]["models"].append(run)
        values["compare"]["seeds"] = {"sft": runs}

    assert problems(change) == wanted
