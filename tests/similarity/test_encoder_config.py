"""An encoder that cannot be used is refused in one line."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from modelmake.errors import UserError
from stages.similarity import embeddings, encoder_config
from tests import made_up_encoder
from tests.made_up_encoder import CARD, encode


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_encoder.bag(tmp_path_factory.mktemp("bag"))


def damage(folder: Path, fault: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    if fault.endswith("safetensors"):
        (folder / fault).unlink()
    elif fault in ("nan", "lost"):
        weights = load_file(folder / "model.safetensors")
        if fault == "nan":
            weights = {name: np.full_like(tensor, np.nan) for name, tensor in weights.items()}
        else:
            del weights["embeddings.LayerNorm.weight"]
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
    elif fault == "truncated":
        (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-100])
    elif fault == "modules.json":
        listed = [{"type": f"models.{name}", "path": ""} for name in ("Transformer", "Pooling", "Dense")]
        (folder / fault).write_text(json.dumps(listed))
    else:
        (folder / "config.json").write_text(json.dumps({**config, fault: True}))


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("model.safetensors", r"model: missing model.safetensors: want a folder of transformers or .*no_encoder.json"),
        ("auto_map", r"config.json: auto_map asks for code .*; remote code is never run$"),
        ("is_encoder_decoder", r"config.json: is_encoder_decoder: want an encoder, or a decoder; name another one$"),
        ("modules.json", r"modules.json: Transformer, Pooling, Dense: want Transformer, Pooling and perhaps Normalize"),
        (
            "nan",
            r"^params.yaml: dedup.encoder = '.*model': the encoder returned NaN or infinity; choose another model in "
            r"dedup.encoder$",
        ),
        (
            "lost",
            r"^params.yaml: dedup.encoder: .*model: has no weights embeddings.LayerNorm.weight: name another encoder$",
        ),
        ("truncated", r"^params.yaml: dedup.encoder: .*model: transformers says: .*; name another encoder$"),
    ],
)
def test_an_encoder_that_cannot_be_used_is_refused(bag: Path, tmp_path: Path, fault: str, message: str) -> None:
    folder = shutil.copytree(bag, tmp_path / "model")
    damage(folder, fault)

    with pytest.raises(UserError, match=message):
        encode(folder, [CARD])


def test_an_encoder_of_the_hub_is_fetched_at_its_pin(
    bag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = tmp_path / "pin.json"
    pin.write_text(json.dumps({"repo": "some/encoder", "revision": "0" * 40}))
    fetched = []
    monkeypatch.setattr(embeddings.hub, "fetch", lambda *arguments: fetched.append(arguments) or bag)

    assert encode(pin, [CARD]).tobytes() == encode(bag, [CARD]).tobytes()
    assert fetched == [(pin, "model", encoder_config.FILES)]


def test_more_tokens_than_the_model_reads_are_refused(bag: Path) -> None:
    with pytest.raises(UserError, match=r"^params.yaml: dedup.semantic.max_tokens = 65: .* reads 64: lower it$"):
        encoder_config.check(bag, 65)


def test_a_file_that_is_no_pin_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.json").write_text("null\n")

    with pytest.raises(UserError, match=r"none.json': want an encoder's folder, or a pin of one of the hub; or write"):
        encoder_config.check(tmp_path / "none.json", 16)


def test_a_missing_extra_is_named(bag: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_config, "find_spec", lambda name: None)

    with pytest.raises(UserError) as error:
        encoder_config.check(bag, 16)
    assert str(error.value) == (
        "params.yaml: dedup.semantic: usearch is not installed: run `uv sync --extra semantic`, or write null"
    )
