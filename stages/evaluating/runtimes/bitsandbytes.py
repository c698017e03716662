"""Answers with transformers from a model folder whose weights bitsandbytes packed."""

import bitsandbytes  # noqa: F401 (transformers computes with it; imported here so that the stage's key covers it)

from stages.evaluating.runtimes.compressed_tensors import sampling_defaults, tensor_types  # noqa: F401 (the same)
from stages.evaluating.runtimes.transformers import NORMALIZES, generate, prompt_tokens  # noqa: F401
from stages.evaluating.runtimes.transformers_logits import reading  # noqa: F401
