"""Folders that bitsandbytes packed: every linear layer but the output, near the model, the same bytes again."""

from pathlib import Path

import numpy as np
import pytest

from stages.evaluating.runtimes import bitsandbytes as runtime
from stages.evaluating.runtimes import transformers_logits
from stages.exporting import tensor_sources
from stages.exporting.quantizers import bitsandbytes
from stages.params.release import Bitsandbytes
from tests.tiny_models import build_model

PARAMS = Bitsandbytes(from_="sft", calibration=None)
IDS = [at * 7 % 380 for at in range(1, 60)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"), hidden_size=128, intermediate_size=256)


def packed(model: Path, folder: Path, quant: str) -> Path:
    folder.mkdir()
    assert bitsandbytes.quantize(model, folder / "none.jsonl", folder, quant, PARAMS) == ""
    return folder


def logits(reading, folder: Path) -> np.ndarray:
    from stages.evaluating.forced import Forced

    with reading(folder, longest=64, device="cpu", dtype="float32") as reader:
        return np.concatenate([*reader.logits(Forced(IDS, [*range(20, 50)]))])


def test_every_type_has_settings() -> None:
    assert bitsandbytes.SETTINGS.keys() == Bitsandbytes.TYPES.keys()


@pytest.mark.parametrize(("quant", "dtype", "most"), [("nf4", "U8", 0.5), ("llm_int8", "I8", 0.1)])
def test_linear_layers_are_packed_and_the_model_answers_nearly_the_same(
    model: Path, tmp_path: Path, quant: str, dtype: str, most: float
) -> None:
    folder = packed(model, tmp_path / "a", quant)

    weights = {name: source.dtype for name, source in tensor_sources.read(folder) if name.endswith("proj.weight")}
    assert len(weights) == 14 and set(weights.values()) == {dtype}  # seven matrices of two layers
    assert runtime.tensor_types(folder)[dtype] >= 14
    expected = logits(transformers_logits.reading, model)
    error = np.abs(logits(runtime.reading, folder) - expected).mean() / expected.std()
    assert 0.0001 < error < most
    again = packed(model, tmp_path / "b", quant)
    assert (folder / "model.safetensors").read_bytes() == (again / "model.safetensors").read_bytes()
    assert (folder / "chat_template.jinja").read_bytes() == (model / "chat_template.jinja").read_bytes()
