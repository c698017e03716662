"""Whether tokenizer, config.json and generation_config.json of a model folder fit together."""

from pathlib import Path
from typing import Any

import msgspec

from stages.twinning.fault import Fault

NAMES = ("bos", "eos", "pad")


def faults(folder: Path, tokenizer: Any) -> list[Fault]:
    """Tokens without a row of the embedding, and special tokens that are others in config and tokenizer."""
    config = _read(folder / "config.json")
    size = config.get("vocab_size") or config.get("text_config", {}).get("vocab_size")
    token, last = max(tokenizer.get_vocab().items(), key=lambda item: item[1])
    if last >= size:
        what = (
            f"token {token!r} has id {last}: want all below config.json's vocab_size = {size}; resize the embedding, "
            "or take the tokenizer that the model was trained with"
        )
        return [Fault("vocabulary", "base", "", what)]
    return [
        Fault("special tokens", "base", "", problem)
        for name, values in (
            ("config.json", config),
            ("generation_config.json", _read(folder / "generation_config.json")),
        )
        for kind in NAMES
        for problem in _mismatches(name, kind, values.get(f"{kind}_token_id"), tokenizer, size)
    ]


def _mismatches(file: str, kind: str, configured: Any, tokenizer: Any, size: int) -> list[str]:
    ids = configured if isinstance(configured, list) else [configured]
    where = f"{file}: {kind}_token_id = {configured}"
    if outside := [i for i in ids if i is not None and not -size <= i < size]:
        return [f"{where}: want ids below vocab_size = {size}, found {outside[0]}; correct it"]
    own = getattr(tokenizer, f"{kind}_token_id")
    if kind == "pad" or own is None or configured is None or own in ids:  # padding is masked by its place
        return []
    named = ", ".join(repr(tokenizer.convert_ids_to_tokens(i)) for i in ids)
    return [f"{where}, which is {named}: want {own}, the tokenizer's {kind}_token {tokenizer.decode([own])!r}"]


def _read(path: Path) -> dict[str, Any]:
    return msgspec.json.decode(path.read_bytes()) if path.exists() else {}
