"""Quantizers: each writes one folder and reports the matrices that did not fit the type's blocks."""

import importlib.util
from pathlib import Path

import pytest

from stages.exporting.quantizers import gguf, llama_cpp
from stages.params.release import Gguf
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


def test_awq_calibrates_on_what_training_rendered(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("awq", ROOT / "envs/llmcompressor/quantize.py")
    awq = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(awq)
    call = ToolCall(Function("f", {"a": 1}), "function")
    turns = [Message("user", "q"), Message("assistant", "", [call], reasoning_content="hm", train=False)]
    tools = [{"name": "f"}]
    jsonl.write(tmp_path / "rows.jsonl", [make_row(Chat(turns, tools)), make_row(Chat([*turns[:1], *turns[:1]]))])

    tokenizer = Tokenizer()
    assert awq.read(tmp_path / "rows.jsonl", tokenizer, 2) == ([[1, 2], [1, 2]], 2)

    assert tokenizer.rendered[0] == (template_messages(turns), tools)
    assert tokenizer.rendered[1][1] is None
