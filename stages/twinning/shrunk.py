"""A model folder made small: its own architecture, tokenizer, template and special tokens, and random weights."""

import shutil
from pathlib import Path
from typing import Any

from modelmake.errors import UserError

FILES = ("*.json", "*.jinja", "additional_chat_templates/*.jinja", "*.txt", "tokenizer.model")  # all but the weights
WEIGHTS_INDEX = "model.safetensors.index.json"
HEAD_DIM = 16
SIZES = {  # of the twin, where a config has the setting
    "num_attention_heads": 4, "head_dim": HEAD_DIM, "hidden_size": 4 * HEAD_DIM, "intermediate_size": 96,
    "moe_intermediate_size": 32, "num_hidden_layers": 2, "max_window_layers": 2,
    "initializer_range": 0.1,  # so that its answers differ clearly from row to row
    "attention_dropout": 0.0,
}  # fmt: skip


def copy(source: Path, folder: Path) -> None:
    """Copies all files but the weights."""
    for pattern in FILES:
        for file in source.glob(pattern):
            if file.name != WEIGHTS_INDEX:
                (folder / file.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, folder / file.relative_to(source))


def make_weights(folder: Path) -> None:
    """Makes the config.json of `folder` small, and seeded random weights of it in float32.

    Raises:
        UserError: transformers cannot make a model of the config.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    generation = folder / "generation_config.json"
    kept = generation.read_bytes() if generation.exists() else None
    try:
        config = AutoConfig.from_pretrained(folder)
        _shrink(config.get_text_config())
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    except (ValueError, KeyError, AssertionError, TypeError, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{folder}/config.json: transformers makes no causal model of it: {reason}") from error
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name.endswith(("bias", "norm.weight")):  # begin as 0 and 1, which would hide that one is lost
                weights += 0.2 * torch.randn_like(weights)
    model.save_pretrained(folder)
    if kept is None:
        generation.unlink(missing_ok=True)
    else:
        generation.write_bytes(kept)


def _shrink(config: Any) -> None:
    heads, kv_heads = getattr(config, "num_attention_heads", None), getattr(config, "num_key_value_heads", None)
    for setting, size in SIZES.items():
        if getattr(config, setting, None) is not None:
            setattr(config, setting, size)
    if kv_heads:  # as shared as before
        config.num_key_value_heads = 4 if kv_heads == heads else 1 if kv_heads == 1 else 2
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[-SIZES["num_hidden_layers"] :]
