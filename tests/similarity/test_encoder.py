"""An encoder's folder: what it says of itself, and what is wrong with it, in a line."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from modelmake.errors import UserError
from stages.similarity import embeddings, encoder
from tests import made_up_encoder
from tests.made_up_encoder import CARD, read


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_encoder.bag(tmp_path_factory.mktemp("bag"))


def spoil(folder: Path, what: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    if what.endswith("safetensors"):
        (folder / what).unlink()
    elif what in ("nan", "lost"):
        weights = load_file(folder / "model.safetensors")
        spoilt = {name: np.full_like(held, np.nan) if what == "nan" else held for name, held in weights.items()}
        if what == "lost":
            del spoilt["embeddings.LayerNorm.weight"]
        save_file(spoilt, folder / "model.safetensors", {"format": "pt"})
    elif what == "truncated":
        (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-100])
    elif what == "modules.json":
        listed = [{"type": f"models.{name}", "path": ""} for name in ("Transformer", "Pooling", "Dense")]
        (folder / what).write_text(json.dumps(listed))
    else:
        (folder / "config.json").write_text(json.dumps({**config, what: True}))


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("model.safetensors", r"model: missing model.safetensors: want a folder of transformers or .*no_encoder.json"),
        ("auto_map", r"config.json: auto_map asks for code .*; remote code is never run$"),
        ("is_encoder_decoder", r"config.json: is_encoder_decoder: want an encoder, or a decoder; name another one$"),
        ("modules.json", r"modules.json: Transformer, Pooling, Dense: want Transformer, Pooling and perhaps Normalize"),
        ("nan", r"^params.yaml: dedup.encoder: .*model: gives embeddings that are no numbers: name another$"),
        (
            "lost",
            r"^params.yaml: dedup.encoder: .*model: has no weights embeddings.LayerNorm.weight: name another encoder$",
        ),
        ("truncated", r"^params.yaml: dedup.encoder: .*model: transformers says: .*; name another encoder$"),
    ],
)
def test_what_is_no_encoder_is_told_in_a_line(bag: Path, tmp_path: Path, what: str, message: str) -> None:
    folder = shutil.copytree(bag, tmp_path / "model")
    spoil(folder, what)

    with pytest.raises(UserError, match=message):
        read(folder, [CARD])


def test_an_encoder_of_the_hub_is_known_by_its_pin(bag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin = tmp_path / "pin.json"
    pin.write_text(json.dumps({"repo": "some/encoder", "revision": "0" * 40}))
    asked = []
    monkeypatch.setattr(embeddings.hub, "fetch", lambda *what: asked.append(what) or bag)

    assert read(pin, [CARD]).tobytes() == read(bag, [CARD]).tobytes()
    assert asked == [(pin, "model", encoder.WANTED)]


def test_more_tokens_than_the_model_reads_are_told(bag: Path) -> None:
    with pytest.raises(UserError, match=r"^params.yaml: dedup.semantic.max_tokens = 65: .* reads 64: lower it$"):
        encoder.check(bag, 65)


def test_a_file_that_is_no_pin_is_told(tmp_path: Path) -> None:
    (tmp_path / "none.json").write_text("null\n")

    with pytest.raises(UserError, match=r"none.json': want an encoder's folder, or a pin of one of the hub; or write"):
        encoder.check(tmp_path / "none.json", 16)


def test_the_extra_is_asked_for_where_it_is_not_installed(bag: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "find_spec", lambda name: None)

    with pytest.raises(UserError) as error:
        encoder.check(bag, 16)
    assert str(error.value) == (
        "params.yaml: dedup.semantic: usearch is not installed: run `uv sync --extra semantic`, or write null"
    )
