"""Quantizers: each writes one folder and reports the matrices that did not fit the type's blocks."""

import contextlib
import ctypes
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from stages.exporting.quantizers import gguf, llama_cpp
from stages.params.release import Gguf, Llmcompressor
from stages.rows import jsonl
from stages.rows.row import Chat, Function, Message, ToolCall, make_row
from stages.rows.template_messages import template_messages
from tests.conftest import ROOT
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


class Tokenizer:
    """Records what a chat template is given."""

    def __init__(self) -> None:
        self.rendered: list[tuple[list[dict], list[dict] | None]] = []

    def apply_chat_template(self, messages: list[dict], tools: list[dict] | None) -> dict[str, list[int]]:
        self.rendered.append((messages, tools))
        return {"input_ids": [1, 2, 3]}


def script(tool: str) -> ModuleType:
    """What runs in the tool's own environment."""
    spec = importlib.util.spec_from_file_location(tool, ROOT / f"envs/{tool}/quantize.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_llmcompressor_makes_each_type_that_has_its_name() -> None:
    assert script("llmcompressor").QUANTS.keys() == Llmcompressor.TYPES.keys()


@pytest.mark.parametrize(("quant", "refused"), [("awq", True), ("gptq", True), ("int8", False), ("fp8", False)])
def test_rows_that_fill_no_groups_are_refused(quant: str, refused: bool) -> None:
    """As preflight does, where it knows the sizes."""
    import torch

    model = torch.nn.ModuleDict({"up": torch.nn.Linear(128, 8), "down": torch.nn.Linear(96, 8)})
    message = r"^down: rows of 96 weights: want a multiple of 128"
    with pytest.raises(ValueError, match=message) if refused else contextlib.nullcontext():
        script("llmcompressor").check_layers(model, quant)


def test_a_model_without_linear_layers_is_refused() -> None:
    import torch

    with pytest.raises(ValueError, match=r"^ModuleDict: no torch.nn.Linear: want such layers"):
        script("llmcompressor").check_layers(torch.nn.ModuleDict({"lm_head": torch.nn.Linear(8, 8)}), "fp8")


class Entry(ctypes.Structure):
    """`llama_model_imatrix_data` of llama.h, as llama-cpp-python has it."""

    _fields_ = (("name", ctypes.c_char_p), ("data", ctypes.POINTER(ctypes.c_float)), ("size", ctypes.c_size_t))


def test_llama_cpp_gets_importance_as_an_array_that_ends_without_a_name(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "a.npz", **{"blk.0.ffn_up.weight": np.float32([1, 2.5]), "blk.1.ffn_up.weight": np.float32([3])}
    )

    first, second, end = script("llama_cpp").read(tmp_path / "a.npz", Entry)

    assert (first.name, first.data[: first.size]) == (b"blk.0.ffn_up.weight", [1.0, 2.5])
    assert (second.name, second.data[: second.size]) == (b"blk.1.ffn_up.weight", [3.0])
    assert end.name is None


def test_llmcompressor_calibrates_on_what_training_rendered(tmp_path: Path) -> None:
    call = ToolCall(Function("f", {"a": 1}), "function")
    turns = [Message("user", "q"), Message("assistant", "", [call], reasoning_content="hm", train=False)]
    tools = [{"name": "f"}]
    jsonl.write(tmp_path / "rows.jsonl", [make_row(Chat(turns, tools)), make_row(Chat([*turns[:1], *turns[:1]]))])

    tokenizer = Tokenizer()
    assert script("llmcompressor").read(tmp_path / "rows.jsonl", tokenizer, 2) == ([[1, 2], [1, 2]], 2)

    assert tokenizer.rendered[0] == (template_messages(turns), tools)
    assert tokenizer.rendered[1][1] is None
