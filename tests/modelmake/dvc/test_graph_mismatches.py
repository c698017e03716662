"""A stage in dvc.yaml and its `main` are compared in both directions."""

from dataclasses import replace
from typing import ClassVar

import pytest

from modelmake.dvc import graph
from modelmake.dvc.graph import Stage
from modelmake.params import Params
from modelmake.signature import In, Out


class Step(Params):
    section: ClassVar[str] = "train.{step}"


class Machine(Params):
    section: ClassVar[str] = "machine"


def main(start: In, trained: Out, step: str, params: Step, machine: Machine) -> str:
    return f"{start} {trained} {step} {params} {machine}"


STAGE = Stage(
    name="train@sft",
    cmd="python -m stages.train --step sft --start models/base --trained models/sft",
    deps=("keys/train.sft.json", "models/base"),
    params=("train.sft", "machine"),
    outs=("models/sft",),
)


def test_a_stage_as_its_main_wants_it_has_no_mismatch() -> None:
    assert graph.mismatches(STAGE, main) == []


@pytest.mark.parametrize(
    ("deps", "shown"),
    [
        (("keys/train.sft.json",), "['keys/train.sft.json']"),
        (("models/base",), "['models/base']"),
        (("keys/train.sft.json", "models/base", "x"), "['keys/train.sft.json', 'models/base', 'x']"),
        (("keys/train.dpo.json", "models/base"), "['keys/train.dpo.json', 'models/base']"),
    ],
)
def test_a_dep_too_few_or_too_many_is_told_with_what_main_wants(deps: tuple[str, ...], shown: str) -> None:
    assert graph.mismatches(replace(STAGE, deps=deps), main) == [
        f"dvc.yaml: train@sft: deps {shown}: stages.train.main wants ['keys/train.sft.json', 'models/base']"
    ]


@pytest.mark.parametrize("outs", [(), ("models/sft", "models/more")])
def test_an_out_too_few_or_too_many_is_told(outs: tuple[str, ...]) -> None:
    assert graph.mismatches(replace(STAGE, outs=outs), main) == [
        f"dvc.yaml: train@sft: outs {sorted(outs)}: stages.train.main wants ['models/sft']"
    ]


@pytest.mark.parametrize("params", [("train.sft",), ("train.dpo", "machine"), ("train.sft", "machine", "seed")])
def test_params_sections_other_than_those_of_main_are_told(params: tuple[str, ...]) -> None:
    assert graph.mismatches(replace(STAGE, params=params), main) == [
        f"dvc.yaml: train@sft: params {sorted(params)}: stages.train.main wants ['machine', 'train.sft']"
    ]


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        ("--step sft --start models/base --trained models/sft --seed 1", "['seed', 'start', 'step', 'trained']"),
        ("--step sft --start models/base", "['start', 'step']"),
        ("--step sft --begin models/base --trained models/sft", "['begin', 'step', 'trained']"),
    ],
)
def test_flags_other_than_those_of_main_are_told(flags: str, shown: str) -> None:
    assert graph.mismatches(replace(STAGE, cmd=f"python -m stages.train {flags}"), main) == [
        f"dvc.yaml: train@sft: flags {shown}: stages.train.main wants ['start', 'step', 'trained']"
    ]


def test_everything_that_differs_is_told_at_once() -> None:
    told = graph.mismatches(replace(STAGE, deps=(), outs=(), params=()), main)

    assert [line.split(" ")[2] for line in told] == ["deps", "outs", "params"]
