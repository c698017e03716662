"""Distances between artifacts are the largest of each tensor and number; what is no number is no distance."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from modelmake.verifying import closeness


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        ({"x": 1.0, "y": [1, 2]}, {"x": 1.5, "y": [1, 4]}, {"x": 0.5, "y[1]": 2}),
        ({"x": {"y": 1}}, {"x": {"y": 1}}, {}),
        ([{"x": 1}], [{"x": -1}], {"[0].x": 2}),
        (1, 1.25, {"": 0.25}),
        ({"x": 1}, {"y": 1}, None),
        ([1], [1, 2], None),
        ({"x": "a", "y": 1}, {"x": "b", "y": 2}, None),
        ({"x": True}, {"x": 1}, None),
        ({"x": False}, {"x": True}, None),
        ({"x": None}, {"x": 0}, None),
        (float("nan"), 1.0, None),
    ],
)
def test_numbers_differ_by_place_and_nothing_else_may(a: Any, b: Any, found: dict[str, float] | None) -> None:
    assert closeness.numbers(a, b) == found


def saved(path: Path, **tensors: torch.Tensor) -> Path:
    save_file(tensors, path)
    return path


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.int8])
def test_the_largest_difference_of_each_tensor_is_told(tmp_path: Path, dtype: torch.dtype) -> None:
    a, b = torch.tensor([[1, 2], [3, 4]]), torch.tensor([[1, 2], [5, 3]])
    one = saved(tmp_path / "one", same=a.to(dtype), other=a.to(dtype), scalar=torch.tensor(1.0))
    two = saved(tmp_path / "two", same=a.to(dtype), other=b.to(dtype), scalar=torch.tensor(0.5))

    assert closeness.tensors(one, two) == {"other": 2.0, "scalar": 0.5}


def test_the_same_infinity_is_no_difference_and_a_nan_is_no_number(tmp_path: Path) -> None:
    infinity, nan = float("inf"), float("nan")
    one = saved(tmp_path / "one", x=torch.tensor([infinity, 1.0]))

    assert closeness.tensors(one, saved(tmp_path / "two", x=torch.tensor([infinity, 2.0]))) == {"x": 1.0}
    assert closeness.tensors(one, saved(tmp_path / "three", x=torch.tensor([infinity, nan]))) is None


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
    assert closeness.tensors(saved(tmp_path / "one", x=torch.ones(2)), saved(tmp_path / "two", **other)) is None


def test_an_artifact_is_compared_file_by_file_by_what_its_names_say(tmp_path: Path) -> None:
    def artifact(name: str, weight: float, loss: float, text: str) -> dict[str, Path]:
        folder = tmp_path / name
        folder.mkdir()
        saved(folder / "w", w=torch.tensor([weight]))
        (folder / "log").write_text("".join(json.dumps({"loss": value}) + "\n" for value in (1.0, loss)))
        (folder / "text").write_text(text)
        return {"w.safetensors": folder / "w", "log.jsonl": folder / "log", "a.txt": folder / "text"}

    one = artifact("one", 1.0, 2.0, "same")

    assert closeness.bounds(one, artifact("two", 1.5, 2.25, "same")) == {
        "w.safetensors: w": 0.5, "log.jsonl: [1].loss": 0.25,
    }  # fmt: skip
    assert closeness.bounds(one, artifact("three", 1.5, 2.25, "diff")) is None
    assert closeness.bounds(one, dict(list(one.items())[:2])) is None
    assert closeness.bounds(one, one) == {}
