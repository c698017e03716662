"""Distances of tensors are the largest of each; tensors of other names, shapes or types have none."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from modelmake import params
from modelmake.verifying import probe
from stages.commands.domain import DOMAIN, tensor_distances
from stages.params.base_model import Base
from stages.params.training import Step
from tests.conftest import ROOT


def saved(path: Path, **tensors: torch.Tensor) -> Path:
    save_file(tensors, path)
    return path


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.int8])
def test_the_largest_difference_of_each_tensor_is_told(tmp_path: Path, dtype: torch.dtype) -> None:
    a, b = torch.tensor([[1, 2], [3, 4]]), torch.tensor([[1, 2], [5, 3]])
    one = saved(tmp_path / "one", same=a.to(dtype), other=a.to(dtype), scalar=torch.tensor(1.0))
    two = saved(tmp_path / "two", same=a.to(dtype), other=b.to(dtype), scalar=torch.tensor(0.5))

    assert tensor_distances(one, two) == {"other": 2.0, "scalar": 0.5}


def test_the_same_infinity_is_no_difference_and_a_nan_is_no_number(tmp_path: Path) -> None:
    infinity, nan = float("inf"), float("nan")
    one = saved(tmp_path / "one", x=torch.tensor([infinity, 1.0]))

    assert tensor_distances(one, saved(tmp_path / "two", x=torch.tensor([infinity, 2.0]))) == {"x": 1.0}
    assert tensor_distances(one, saved(tmp_path / "three", x=torch.tensor([infinity, nan]))) is None


@pytest.mark.parametrize(
    "other",
    [
        {"y": torch.ones(2)},
        {"x": torch.ones(2), "y": torch.ones(2)},
        {"x": torch.ones(2, 1)},
        {"x": torch.ones(2, dtype=torch.float16)},
    ],
)
def test_tensors_of_other_names_shapes_or_types_have_no_distance(
    tmp_path: Path, other: dict[str, torch.Tensor]
) -> None:
    assert tensor_distances(saved(tmp_path / "one", x=torch.ones(2)), saved(tmp_path / "two", **other)) is None


def test_the_values_for_probes_are_parameters_and_valid() -> None:
    values, replaced = params.load(ROOT / "params.yaml"), {}
    for patterns in DOMAIN.probe.values():
        probe._replace(values, ("base", "train.sft", "train.dpo"), patterns, "", replaced)

    assert replaced == {"base.max_steps": 4, "train.sft.num_train_epochs": 1.0, "train.dpo.num_train_epochs": 1.0}
    assert params.section(values, "base", Base, "params.yaml").max_steps == 4
    assert params.section(values, "train.dpo", Step, "params.yaml").num_train_epochs == 1.0


def test_a_stage_is_probed_with_other_values_of_its_own_sections_alone() -> None:
    values, replaced = params.load(ROOT / "params.yaml"), {}
    probe._replace(values, ("machine", "train.sft"), DOMAIN.probe["stages.train"], "", replaced)

    assert replaced == {"train.sft.num_train_epochs": 1.0}
    assert values["train"]["dpo"]["num_train_epochs"] == 3
