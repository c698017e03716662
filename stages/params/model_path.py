"""Paths of models beside the base: the tokenizer of `clean`, the encoder of `dedup`, second models of `train`."""

from pathlib import Path

BASE = Path("models/base")  # exists once `base` has run
NO_TOKENIZER = "recipes/no_tokenizer.json"  # DVC wants a path: this file stands for none
NO_ENCODER = "recipes/no_encoder.json"
NO_MODEL = "recipes/no_model.json"


def problems(field: str, model: str, stage: str, base_is_tiny: bool, none: str) -> list[str]:
    """Why a path cannot be read by `stage`; empty if it can.

    Args:
        field: name of the parameter.
        none: the path that stands for no model.
    """
    where = f"{field} = {model!r}"
    if Path(model) == BASE:
        reason = f"a tiny base is made of the rows that {stage} gives: want another model's folder"
        return [f"{where}: {reason}, or {none}"] if base_is_tiny else []
    return [] if Path(model).exists() else [f"{where}: no such file or folder; for none, write {none}"]
