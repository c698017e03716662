"""Quantizes a model to four bits with AWQ (Lin et al. 2023, arXiv:2306.00978): W4A16, symmetric, groups of 128.

    python envs/llmcompressor/quantize.py --weights models/sft --calibration rows.jsonl --quantized models/awq \
        --max-seq-length 512 --device cpu

Inputs: --weights, a Hugging Face model folder; --calibration, JSONL rows {content: {kind: chat, messages,
tools} or {kind: text, text}}, rendered by the model's own chat template and cut at --max-seq-length tokens.
Outputs: --quantized, a folder in the compressed-tensors format, which transformers and vLLM load.
"""

import argparse
import json
import sys
from pathlib import Path

GROUP = 128  # consecutive weights of a row that share a scale


def read(file: Path, tokenizer, max_seq_length: int) -> tuple[list[list[int]], int]:
    """Token ids of the rows, and the number of rows that were cut. Raises ValueError for a file without rows."""
    rows = []
    for line in file.read_text("utf-8").splitlines():
        content = json.loads(line)["content"]
        if content["kind"] == "chat":
            messages = [{k: v for k, v in turn.items() if k != "train"} for turn in content["messages"]]
            rows.append(tokenizer.apply_chat_template(messages, tools=content.get("tools"))["input_ids"])
        else:
            rows.append(tokenizer(content["text"])["input_ids"])
    if not rows:
        raise ValueError(f"{file}: no rows: want some to calibrate on")
    return [row[:max_seq_length] for row in rows], sum(len(row) > max_seq_length for row in rows)


def check_widths(model) -> None:
    """Raises ValueError if a linear layer's input width is no multiple of `GROUP`."""
    import torch

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and name != "lm_head" and module.in_features % GROUP:
            raise ValueError(
                f"{name}: rows of {module.in_features} weights: want a multiple of {GROUP}; take a GGUF type"
            )


def quantize(weights: Path, calibration: Path, quantized: Path, max_seq_length: int, device: str) -> str:
    """Writes the folder and returns a line of counts. Raises ValueError if the model cannot be quantized."""
    import torch
    from datasets import Dataset
    from llmcompressor import oneshot
    from llmcompressor.modifiers.quantization import QuantizationModifier
    from llmcompressor.modifiers.transform.awq import AWQModifier
    from llmcompressor.pipelines.cache import IntermediatesCache
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if device == "cpu":
        IntermediatesCache.pin_memory = lambda *_, **__: None  # pinning memory needs a GPU
    elif not torch.cuda.is_available():
        raise ValueError("--device cuda: torch sees no GPU here; want one, or cpu")
    tokenizer = AutoTokenizer.from_pretrained(weights)
    rows, cut = read(calibration, tokenizer, max_seq_length)
    model = AutoModelForCausalLM.from_pretrained(weights, dtype="auto", use_safetensors=True)  # moved layer by layer
    check_widths(model)
    oneshot(
        model=model,
        tokenizer=tokenizer,
        recipe=[
            AWQModifier(duo_scaling="both"),
            QuantizationModifier(targets=["Linear"], ignore=["lm_head"], scheme="W4A16"),
        ],
        dataset=Dataset.from_list([{"input_ids": row, "attention_mask": [1] * len(row)} for row in rows]),
        num_calibration_samples=len(rows),
        shuffle_calibration_samples=False,
        max_seq_length=max_seq_length,
    )
    model.save_pretrained(quantized, save_compressed=True)
    tokenizer.save_pretrained(quantized)
    (quantized / "recipe.yaml").unlink(missing_ok=True)  # repeats the recipe above
    return f"calibrated on {len(rows)} rows, {cut} of them cut at {max_seq_length} tokens"


def main() -> None:
    parser = argparse.ArgumentParser(description="Quantize a model with AWQ.")
    for name in ("weights", "calibration", "quantized"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--max-seq-length", type=int, required=True)
    parser.add_argument("--device", choices=["cpu", "cuda"], required=True)
    args = parser.parse_args()
    try:
        print(quantize(args.weights, args.calibration, args.quantized, args.max_seq_length, args.device), flush=True)
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
