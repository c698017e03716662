"""Steps of training, as pages show them."""

import msgspec

from modelmake import params
from stages.params.training import Sft, Step, in_order
from tests.conftest import ROOT


def test_steps_come_after_the_one_that_they_start_from_else_by_name() -> None:
    sft = params.load(ROOT / "params.yaml")["train"]["sft"]
    starts = {"b": "z", "c": "base", "a": "b", "z": "base"}
    steps = {name: {**sft, "from": start} for name, start in starts.items()}

    train = params.section({"train": steps}, "train", dict[str, Step], "params.yaml")

    assert list(in_order(train)) == ["c", "z", "b", "a"]


def test_steps_come_after_the_one_whose_model_they_use_beside_their_own() -> None:
    sft = params.load(ROOT / "params.yaml")["train"]["sft"]
    steps = {"a": {**sft, "second_model": "models/teacher"}, "teacher": sft}
    train = {name: msgspec.convert(step | {"from": "base"}, Sft) for name, step in steps.items()}

    assert list(in_order(train)) == ["teacher", "a"]
