"""How an encoder's folder says to load and pool it, checked before anything heavy is imported.

A folder of transformers is pooled by the mean of its last hidden states over the attention mask. A folder of
sentence-transformers (with `modules.json`) is pooled as its Pooling module says: `mean`, `cls` or `lasttoken`; nothing
but Normalize may follow.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake.errors import UserError
from stages.params.data import Dedup
from stages.params.model_path import NO_ENCODER

POOLINGS = ("mean", "cls", "lasttoken")
POOLING_FLAGS = {  # of older configs
    "pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean", "pooling_mode_lasttoken": "lasttoken",
}  # fmt: skip
FILES = ("*.json", "model*.safetensors", "*.txt", "tokenizer.model")  # taken from the hub: no pickles, no code


class Module(msgspec.Struct):
    """An entry of sentence-transformers' modules.json."""

    type: str  # name of a class
    path: str  # its folder, relative; empty: the model's own


class EncoderConfig(NamedTuple):
    model: Path  # folder that transformers loads
    pooling: str  # one of POOLINGS


def problems(params: Dedup) -> list[str]:
    """What is wrong with `params.encoder`, if it exists already: models/base may not be built yet."""
    try:
        if params.semantic and Path(params.encoder).exists():
            check(Path(params.encoder), params.semantic.max_tokens)
    except UserError as error:
        return [str(error)]
    return []


def check(path: Path, max_tokens: int) -> None:
    """Checks that `dedup.semantic` can use an encoder's folder, or a pin of the hub.

    Raises:
        UserError: it cannot, or the extra is not installed.
    """
    if find_spec("usearch") is None:
        raise UserError(
            "params.yaml: dedup.semantic: usearch is not installed: run `uv sync --extra semantic`, or write null"
        )
    if path.is_dir():
        read(path, max_tokens)
    elif "repo" not in (_decode(path, Any) or ()):
        raise UserError(
            f"params.yaml: dedup.encoder = {str(path)!r}: want an encoder's folder, or a pin of one of the hub; "
            "or write dedup.semantic: null"
        )


def read(folder: Path, max_tokens: int) -> EncoderConfig:
    """The configuration of an encoder's folder.

    Raises:
        UserError: it is no model folder, or the model cannot embed texts of `max_tokens` tokens.
    """
    model, pooling = folder, "mean"
    if (folder / "modules.json").is_file():
        modules = _decode(folder / "modules.json", list[Module])
        names = [module.type.rpartition(".")[2] for module in modules]
        if names not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
            raise UserError(
                f"{folder}/modules.json: {', '.join(names)}: want Transformer, Pooling and perhaps Normalize; "
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
    config = _decode(model / "config.json")
    if "auto_map" in config:
        raise UserError(
            f"{model}/config.json: auto_map asks for code from the model's author: "
            "want an architecture that transformers has; remote code is never run"
        )
    if config.get("is_encoder_decoder"):
        raise UserError(f"{model}/config.json: is_encoder_decoder: want an encoder, or a decoder; name another one")
    tokenizer = _decode(model / "tokenizer_config.json") if (model / "tokenizer_config.json").is_file() else {}
    limits = [config.get("max_position_embeddings"), tokenizer.get("model_max_length")]
    if max_tokens > (limit := min((n for n in limits if n), default=max_tokens)):
        raise UserError(f"params.yaml: dedup.semantic.max_tokens = {max_tokens}: {model} reads {limit}: lower it")
    return EncoderConfig(model, pooling)


def _pooling(file: Path) -> str:
    config = _decode(file)
    modes = config.get("pooling_mode") or [POOLING_FLAGS.get(name, name) for name, value in config.items()
                                           if name.startswith("pooling_mode") and value]  # fmt: skip
    modes = [modes] if isinstance(modes, str) else modes
    if len(modes) != 1 or modes[0] not in POOLINGS:
        named = ", ".join(modes) or "no pooling"
        raise UserError(f"{file}: {named}: want one of {', '.join(POOLINGS)}; name another encoder")
    return modes[0]


def _decode(file: Path, type: Any = dict[str, Any]) -> Any:
    try:
        return msgspec.json.decode(file.read_bytes(), type=type)
    except (OSError, msgspec.DecodeError) as error:
        raise UserError(f"{file}: {error}; name another encoder") from None
