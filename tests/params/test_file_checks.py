"""What preflight sees in the files that params.yaml names."""

import json
from pathlib import Path

import pytest

from stages.params import file_checks
from stages.params.base_model import Base, Folder, Hub
from stages.params.release import Calibration, Gguf, Llmcompressor, Quant
from tests.tiny_models import build_tokenizer

GGUF = Gguf(from_="sft", calibration=None)
AWQ = Llmcompressor(from_="sft", calibration=Calibration("chat", 8), max_seq_length=64, device="cpu")


@pytest.mark.parametrize(
    ("config", "problems"),
    [
        ('{"model_type": "gemma2"}', ["model_type = 'gemma2': want one of llama, mistral, qwen2, qwen3;"]),
        ('{"model_type": "llama", "hidden_act": "gelu"}', ["hidden_act = 'gelu': want 'silu'"]),
        ('{"model_type": "qwen3"}', []),
    ],
)
def test_a_gguf_file_that_cannot_be_written_of_a_base_folder_is_told_before_training(
    tmp_path: Path, config: str, problems: list[str]
) -> None:
    (tmp_path / "config.json").write_text(config)

    found = file_checks.quantized_problems(Folder(str(tmp_path), None), {"Q8_0": GGUF, "awq": AWQ})

    assert len(found) == len(problems)
    for line, problem in zip(found, problems, strict=True):
        assert line.startswith(f"params.yaml: quantize.Q8_0: {tmp_path}/config.json: {problem}")


def test_a_tokenizer_that_llama_cpp_would_read_differently_is_told_before_training(tmp_path: Path) -> None:
    build_tokenizer(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "llama", "vocab_size": 384}')
    assert file_checks.quantized_problems(Folder(str(tmp_path), None), {"Q8_0": GGUF}) == []

    state = json.loads((tmp_path / "tokenizer.json").read_text())
    (tmp_path / "tokenizer.json").write_text(json.dumps(state | {"normalizer": {"type": "Lowercase"}}))

    [line] = file_checks.quantized_problems(Folder(str(tmp_path), None), {"Q8_0": GGUF})
    assert line.startswith(f"params.yaml: quantize.Q8_0: {tmp_path}/tokenizer.json: BPE with ['Lowercase']: want")


@pytest.mark.parametrize(
    ("base", "quantize"), [(Folder("here", None), {"awq": AWQ}), (Hub("here/config.json", None), {"Q8_0": GGUF})]
)
def test_what_is_no_gguf_file_of_a_folder_is_not_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: Base, quantize: dict[str, Quant]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here").mkdir()
    Path("here/config.json").write_text('{"model_type": "gemma2"}')

    assert file_checks.quantized_problems(base, quantize) == []
