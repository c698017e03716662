"""The annotations of a `main` say what the stage reads, writes and takes as parameters."""

from typing import ClassVar, NamedTuple

import pytest

from modelmake import signature
from modelmake.params import Params
from modelmake.signature import Checkpoints, In, Measured, Out


class Step(Params, tag_field="method", tag="a"):
    section: ClassVar[str] = "train.{step}"


class OtherStep(Params, tag_field="method", tag="b"):
    section: ClassVar[str] = "train.{step}"


class Suite(Params):
    section: ClassVar[str] = "suites.{suite}"


class Machine(Params):
    section: ClassVar[str] = "machine"


Steps = Step | OtherStep


def main(
    rows: In, base: In, trained: Out, step: str, params: Steps, log: Out, machine: Machine, suite: str,
    suites: dict[str, Suite],
) -> str:  # fmt: skip
    return f"{rows} {base} {trained} {step} {params} {log} {machine} {suite} {suites}"


def test_flags_are_sorted_into_inputs_outputs_and_names_in_the_order_of_main() -> None:
    result = signature.read(main)

    assert result.inputs == ("rows", "base")
    assert result.outputs == ("trained", "log")
    assert result.names == ("step", "suite")
    assert result.flags == ("rows", "base", "trained", "log", "step", "suite")


def test_all_other_arguments_are_sections_of_params() -> None:
    assert signature.read(main).sections == {"params": Steps, "machine": Machine, "suites": dict[str, Suite]}


class Rows(NamedTuple):
    train: In
    val: In
    step: str


def grouped(rows: Rows, trained: Out, machine: Machine) -> str:
    return f"{rows} {trained} {machine}"


def test_the_fields_of_a_group_are_arguments() -> None:
    result = signature.read(grouped)

    assert result.flags == ("train", "val", "trained", "step")
    assert result.sections == {"machine": Machine}


def test_a_group_is_made_of_the_values_of_its_fields() -> None:
    values = {"train": "a", "val": "b", "step": "sft", "trained": "c", "machine": "d"}

    result = signature.read(grouped).grouped(values)

    assert result == {"rows": Rows("a", "b", "sft"), "trained": "c", "machine": "d"}


def test_a_main_without_arguments_asks_for_nothing() -> None:
    assert signature.read(lambda: "").flags == ()


@pytest.mark.parametrize(
    ("kind", "section"),
    [
        (Machine, "machine"),
        (Suite, "suites.chat"),
        (Steps, "train.sft"),
        (dict[str, Suite], "suites"),
        (dict[str, Steps], "train"),
    ],
)
def test_a_section_is_that_of_the_struct_with_names_filled_in_or_its_parent_for_a_dict(
    kind: object, section: str
) -> None:
    assert signature.section_of(kind, {"step": "sft", "suite": "chat"}) == section


def test_what_the_harness_measured_and_folders_of_earlier_runs_are_no_flags() -> None:
    def stage(rows: In, checkpoints: Checkpoints, measured: Measured) -> str:
        return f"{rows} {checkpoints} {measured}"

    result = signature.read(stage)

    assert (result.flags, result.measured, result.folders) == (
        ("rows",), ("measured",), {"checkpoints": "checkpoints"},
    )  # fmt: skip
