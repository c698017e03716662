"""Answers with transformers from a model folder in the compressed-tensors format, as llmcompressor writes it."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import compressed_tensors  # noqa: F401 (transformers unpacks the weights with it; imported here so that the stage's key covers it)

from modelmake.errors import UserError
from stages.evaluating.generated import Generated
from stages.evaluating.runtimes import transformers
from stages.evaluating.runtimes.transformers import NORMALIZES, prompt_tokens  # noqa: F401 (the same)
from stages.evaluating.runtimes.transformers_logits import reading  # noqa: F401 (likewise)

# {format: (how names of its weights end, their type)}
FORMATS = {
    "pack-quantized": ("weight_packed", "I32"), "int-quantized": ("weight", "I8"),
    "float-quantized": ("weight", "F8_E4M3"),
}  # fmt: skip
# What vLLM takes of generation_config.json, for requests that do not say otherwise.
SAMPLING = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty", "max_new_tokens")


def generate(model: Path, conversations: list[dict[str, Any]], **settings: Any) -> list[Generated]:
    """See `transformers.generate`.

    Raises:
        UserError: the folder's weights are not as its config.json says; or as `transformers.generate` does.
    """
    check(model)
    return transformers.generate(model, conversations, **settings)


def check(model: Path) -> None:
    """Checks that weights are quantized as config.json says.

    transformers unpacks them at the first forward, and then saves them dense beside the same config.json: it loads such
    a folder, vLLM does not, and it has the size of the model.

    Raises:
        UserError: they are dense.
    """
    declared = _json(model / "config.json").get("quantization_config", {}).get("format")
    if declared in FORMATS and not any(
        name.endswith(FORMATS[declared][0]) and kind == FORMATS[declared][1] for name, kind in _types(model).items()
    ):
        raise UserError(
            f"{model}: config.json says {declared}, and its weights are dense: want quantized ones; save the model "
            "before it has run"
        )


def sampling_defaults(model: Path) -> dict[str, Any]:
    """{name: value} by which vLLM samples unless it is told otherwise."""
    settings = _json(model / "generation_config.json")
    return {name: settings[name] for name in SAMPLING if settings.get(name) is not None}


def _json(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text("utf-8")) if file.exists() else {}


def tensor_types(model: Path) -> dict[str, int]:
    """{type: tensors}, most first."""
    return dict(Counter(_types(model).values()).most_common())


def _types(model: Path) -> dict[str, str]:
    """{name: type} of the tensors."""
    from safetensors import safe_open

    types = {}
    for file in sorted(model.glob("*.safetensors")):
        with safe_open(file, "numpy") as tensors:
            types |= {name: tensors.get_slice(name).get_dtype() for name in tensors.keys()}
    return types
