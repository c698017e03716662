"""docs/training.md: every method with every way, and not one cell that is wrong in silence."""

from pathlib import Path
from typing import get_args

import pytest

from stages.params.weights import Weights
from tests.training import matrix


def test_every_method_and_every_way_has_an_example() -> None:
    assert set(matrix.methods()) == matrix.METHODS.keys()
    assert set(get_args(Weights)) == {type(weights) for weights, _ in matrix.WAYS.values()}


def test_a_page_numbers_each_reason_once() -> None:
    cells = {(method, way): "" for method in matrix.methods() for way in matrix.WAYS}
    cells |= {("sft", "QLoRA"): "no bits", ("sft", "half"): "no halves", ("dpo", "QLoRA"): "no bits"}

    text = matrix.page(cells)

    assert "\n1. no halves\n2. no bits\n" in text
    assert text.count("no bits") == 1
    [row] = [line for line in text.splitlines() if line.startswith("| LoRA |")]
    assert row == "| LoRA |" + " yes |" * len(matrix.methods())


@pytest.mark.slow
def test_the_page_says_what_every_method_and_way_does(tmp_path: Path) -> None:
    assert matrix.run(tmp_path) == matrix.PAGE.read_text("utf-8")
