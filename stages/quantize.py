"""Quantizes a model with the tool that its params entry names.

Inputs:  weights      model folder
         calibration  JSONL training rows, for tools that calibrate on activations
Outputs: quantized    folder: model.gguf including tokenizer and chat template (gguf, llama_cpp); or a model folder,
                      in the compressed-tensors format (llmcompressor) or packed by bitsandbytes
Params:  quantize.<quant>
"""

import importlib
from pathlib import Path

from modelmake import harness
from modelmake.signature import In, Out
from stages.params.release import Quant


def megabytes(folder: Path) -> float:
    """Size of the weight files in a folder."""
    return sum(file.stat().st_size for file in folder.iterdir() if file.suffix in (".gguf", ".safetensors")) / 1e6


def main(weights: In, calibration: In, quantized: Out, quant: str, params: Quant) -> str:
    quantized.mkdir()
    quantizer = importlib.import_module(params.modules()[0])
    remark = quantizer.quantize(weights, calibration, quantized, quant, params)
    before, after = megabytes(weights), megabytes(quantized)
    return f"{quant}: {after:.2f} MB from {before:.2f} MB of weights{remark}"


if __name__ == "__main__":
    harness.run(main)
