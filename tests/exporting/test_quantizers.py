"""Quantizers: each writes one folder and reports the matrices that did not fit the type's blocks."""

from pathlib import Path

import pytest

from stages.exporting.quantizers import gguf, llama_cpp
from stages.params.release import Gguf
from tests.tiny_models import build_model

PARAMS = Gguf(from_="sft", calibration=None)


def test_a_gguf_folder_holds_one_file_and_no_fallback_is_reported(tmp_path: Path) -> None:
    model = build_model(tmp_path / "model")
    (tmp_path / "a").mkdir()

    assert gguf.quantize(model, tmp_path / "none.jsonl", tmp_path / "a", "Q8_0", PARAMS) == ""
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["model.gguf"]


@pytest.mark.parametrize(
    ("quant", "remark"),
    [("F16", ""), ("Q8_0", "; 2 matrices are F16, their rows being no multiple of the block")],
)
def test_rows_that_do_not_fit_a_block_are_counted(tmp_path: Path, quant: str, remark: str) -> None:
    model = build_model(tmp_path / "model", intermediate_size=80)  # two down projections with rows of 80
    (tmp_path / "a").mkdir()

    assert gguf.quantize(model, tmp_path / "none.jsonl", tmp_path / "a", quant, PARAMS) == remark


def test_matrices_that_a_k_quant_does_not_fit_are_counted_by_their_type(tmp_path: Path) -> None:
    wide = build_model(tmp_path / "wide", hidden_size=256, intermediate_size=512)
    mixed = build_model(tmp_path / "mixed", hidden_size=256, intermediate_size=320)
    for model in (wide, mixed):
        gguf.quantize(model, tmp_path / "none.jsonl", model, "Q4_0", PARAMS)

    assert llama_cpp.fallbacks(wide / "model.gguf") == ""
    assert llama_cpp.fallbacks(mixed / "model.gguf") == (
        "; 2 of 15 matrices are Q4_0 2, their rows being no multiple of 256"
    )
