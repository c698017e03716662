"""Answer conversations with transformers from a folder in the compressed-tensors format, as llmcompressor writes it."""

import compressed_tensors  # noqa: F401 (transformers unpacks the weights through it, so it belongs in the key)

from stages.evaluating.runtimes.transformers import generate  # noqa: F401 (this runtime's own)
