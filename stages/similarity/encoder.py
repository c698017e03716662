"""What an encoder's folder says of itself, told before anything heavy is imported.

A folder of transformers is pooled by the mean of its last hidden states over the attention mask; one of
sentence-transformers (`modules.json`) as that says: `mean`, `cls` or `lasttoken`, nothing behind it but Normalize.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake.errors import UserError
from stages.params.data import Dedup
from stages.params.model_path import NO_ENCODER

POOLINGS = ("mean", "cls", "lasttoken")
OLD_NAMES = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean", "pooling_mode_lasttoken": "lasttoken"}
WANTED = ("*.json", "model*.safetensors", "*.txt", "tokenizer.model")  # never pickles, never code


class Module(msgspec.Struct):
    """An entry of sentence-transformers' modules.json."""

    type: str  # name of a class
    path: str  # its folder; empty: this one


class Described(NamedTuple):
    model: Path  # folder that transformers reads
    pooling: str


def problems(params: Dedup) -> list[str]:
    """What can be told of `params.encoder` where it is there: models/base may not be built yet."""
    try:
        if params.semantic and Path(params.encoder).exists():
            check(Path(params.encoder), params.semantic.max_tokens)
    except UserError as error:
        return [str(error)]
    return []


def check(path: Path, max_tokens: int) -> None:
    """Refuses what `dedup.semantic` cannot work with: a folder that is no encoder's, a file that is no pin.

    Raises:
        UserError: what is wrong with it, or that the extra is not installed.
    """
    if find_spec("usearch") is None:
        raise UserError(
            "params.yaml: dedup.semantic: usearch is not installed: run `uv sync --extra semantic`, or write null"
        )
    if path.is_dir():
        describe(path, max_tokens)
    elif "repo" not in (_json(path, Any) or ()):
        raise UserError(
            f"params.yaml: dedup.encoder = {str(path)!r}: want an encoder's folder, or a pin of one of the hub; "
            "or write dedup.semantic: null"
        )


def describe(folder: Path, max_tokens: int) -> Described:
    """Where its model is, and how that is pooled.

    Raises:
        UserError: it is no model folder, or none that gives embeddings of so many tokens.
    """
    model, pooling = folder, "mean"
    if (folder / "modules.json").is_file():
        modules = _json(folder / "modules.json", list[Module])
        kinds = [module.type.rpartition(".")[2] for module in modules]
        if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
            raise UserError(
                f"{folder}/modules.json: {', '.join(kinds)}: want Transformer, Pooling and perhaps Normalize; "
                "name another encoder"
            )
        model, pooling = folder / modules[0].path, _pooling(folder / modules[1].path / "config.json")
    weights = [name for name in ("model.safetensors", "model.safetensors.index.json") if (model / name).is_file()]
    missing = [name for name in ("config.json", "tokenizer.json") if not (model / name).is_file()]
    if missing := [*missing, *([] if weights else ["model.safetensors"])]:
        raise UserError(
            f"params.yaml: dedup.encoder: {model}: missing {', '.join(missing)}: want a folder of transformers or "
            f"sentence-transformers with safetensors weights; for none, write {NO_ENCODER} and semantic: null"
        )
    config = _json(model / "config.json")
    if "auto_map" in config:
        raise UserError(
            f"{model}/config.json: auto_map asks for code from the model's author: "
            "want an architecture that transformers has; remote code is never run"
        )
    if config.get("is_encoder_decoder"):
        raise UserError(f"{model}/config.json: is_encoder_decoder: want an encoder, or a decoder; name another one")
    settings = _json(model / "tokenizer_config.json") if (model / "tokenizer_config.json").is_file() else {}
    limits = [config.get("max_position_embeddings"), settings.get("model_max_length")]
    if max_tokens > (most := min((n for n in limits if n), default=max_tokens)):
        raise UserError(f"params.yaml: dedup.semantic.max_tokens = {max_tokens}: {model} reads {most}: lower it")
    return Described(model, pooling)


def _pooling(file: Path) -> str:
    found = _json(file)
    modes = found.get("pooling_mode") or [OLD_NAMES.get(name, name) for name, on in found.items()
                                          if name.startswith("pooling_mode") and on]  # fmt: skip
    modes = [modes] if isinstance(modes, str) else modes
    if len(modes) != 1 or modes[0] not in POOLINGS:
        told = ", ".join(modes) or "no pooling"
        raise UserError(f"{file}: {told}: want one of {', '.join(POOLINGS)}; name another encoder")
    return modes[0]


def _json(file: Path, kind: Any = dict[str, Any]) -> Any:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError) as error:
        raise UserError(f"{file}: {error}; name another encoder") from None
