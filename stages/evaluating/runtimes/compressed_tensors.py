"""Answers with transformers from a model folder in the compressed-tensors format, as llmcompressor writes it."""

from pathlib import Path
from typing import Any

import compressed_tensors  # noqa: F401 (transformers unpacks the weights with it; imported here so that the stage's key covers it)

from stages.evaluating.runtimes.transformers import generate  # noqa: F401 (the same function)


def changed_prompts(model: Path, conversations: list[dict[str, Any]]) -> int:
    """0: prompts are made as in training."""
    return 0
