"""Every type of the tools in envs/, made by the tool itself and read by what serves it."""

from pathlib import Path
from types import ModuleType
from typing import Any

import gguf
import pytest
from msgspec.structs import replace

from stages.evaluating.runtimes import compressed_tensors
from stages.evaluating.runtimes import llama_cpp as served_by_llama_cpp
from stages.exporting import tensor_sources
from stages.exporting.quantizers import llama_cpp, llmcompressor
from stages.params.release import Calibration, LlamaCpp, Llmcompressor
from stages.rows import jsonl
from stages.rows.row import Chat, Message, make_row
from tests.conftest import ROOT
from tests.tiny_models import build_model

QUESTION = [{"messages": [{"role": "user", "content": "The cat sat"}], "tools": []}]
K_QUANT = LlamaCpp(from_="sft", calibration=None)
COMPRESSED = Llmcompressor(from_="sft", calibration=None, max_seq_length=None, device="cpu")
DTYPES = {"awq": "I32", "gptq": "I32", "int8": "I8", "fp8": "F8_E4M3"}  # of packed weights


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"), hidden_size=256, intermediate_size=512)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    texts = [
        "It's 1234 o'clock",
        "def f(x): return x + 1",
        "don't you think they'll come?",
        "We've seen 56789 of them.",
    ]
    jsonl.write(file, [make_row(Chat([Message("user", text), Message("assistant", text * 8)])) for text in texts])
    return file


def made(tool: ModuleType, params: Any, model: Path, rows: Path, folder: Path, quant: str) -> str:
    folder.mkdir()
    return tool.quantize(model, rows, folder, quant, params)


@pytest.mark.slow
def test_llama_cpp_makes_every_k_quant_and_weighs_it_by_rows(
    model: Path, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    weighed = replace(K_QUANT, calibration=Calibration("chat", 4))
    for quant in LlamaCpp.TYPES:
        assert made(llama_cpp, K_QUANT, model, rows, tmp_path / quant, quant) == ""
        assert made(llama_cpp, weighed, model, rows, tmp_path / f"{quant}-rows", quant) == "; weighed by 4 rows"
        plain, by_rows = tmp_path / quant / "model.gguf", tmp_path / f"{quant}-rows/model.gguf"
        matrices = [tensor for tensor in gguf.GGUFReader(plain).tensors if len(tensor.shape) > 1]
        assert {tensor.tensor_type.name[-2:] for tensor in matrices} == {"_K"}
        assert plain.read_bytes() != by_rows.read_bytes()
        for number, file in enumerate((plain, by_rows)):
            [answer] = served_by_llama_cpp.generate(
                file, QUESTION, max_new_tokens=4, threads=1, context_tokens=64,
                checkpoint=tmp_path / f"{quant}-{number}.jsonl",
            )  # fmt: skip
            assert answer.answer_tokens > 0
    made(llama_cpp, weighed, model, rows, tmp_path / "again", "Q2_K")
    assert (tmp_path / "again/model.gguf").read_bytes() == (tmp_path / "Q2_K-rows/model.gguf").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("quant", list(Llmcompressor.TYPES))
def test_llmcompressor_makes_every_type(
    model: Path, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quant: str
) -> None:
    monkeypatch.chdir(ROOT)
    on_rows = replace(COMPRESSED, calibration=Calibration("chat", 4), max_seq_length=24)
    needed = Llmcompressor.TYPES[quant].calibration == "needed"

    remark = made(llmcompressor, on_rows if needed else COMPRESSED, model, rows, tmp_path / "a", quant)

    assert remark == ("; calibrated on 4 rows, 4 of them cut at 24 tokens" if needed else "")
    weights = [source for name, source in tensor_sources.read(tmp_path / "a") if "proj.weight" in name]
    assert sum(source.dtype == DTYPES[quant] for source in weights) >= 14  # seven matrices of two layers
    [answer] = compressed_tensors.generate(
        tmp_path / "a", QUESTION, max_new_tokens=4, batch_size=1, device="cpu", dtype="float32",
        checkpoint=tmp_path / "batches.jsonl",
    )  # fmt: skip
    assert answer.answer_tokens > 0
