"""Quantizes a model to four or eight bits with llmcompressor.

    python envs/llmcompressor/quantize.py --weights models/sft --quant awq --quantized models/awq --counts counts.json \
        --device cpu --calibration rows.jsonl --max-seq-length 512

Inputs: --weights, a Hugging Face model folder; --calibration, for all but fp8, JSONL rows {content: {kind: chat,
messages, tools} or {kind: text, text}}, rendered by the model's own chat template and cut at --max-seq-length tokens.
Outputs: --quantized, a folder in the compressed-tensors format, which transformers and vLLM load; --counts, JSON {rows:
calibrated on, cut: of these}. --quant is one of QUANTS.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

GROUP = 128  # consecutive weights of a row that share a scale in W4A16
LAYERS = {"targets": ["Linear"], "ignore": ["lm_head"]}
GPTQ, PLAIN = "gptq.GPTQModifier", "quantization.QuantizationModifier"
# {--quant: the modifiers that are applied, each with its settings}
QUANTS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "awq": [("transform.awq.AWQModifier", {"duo_scaling": "both"}), (PLAIN, {**LAYERS, "scheme": "W4A16"})],
    "gptq": [(GPTQ, {**LAYERS, "scheme": "W4A16"})],
    "int8": [(GPTQ, {**LAYERS, "scheme": "W8A8"})],
    "fp8": [(PLAIN, {**LAYERS, "scheme": "FP8_DYNAMIC"})],
}


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


def check_layers(model, quant: str) -> None:
    """Raises ValueError if there is no linear layer, or W4A16 is asked of one whose rows are no multiple of `GROUP`."""
    import torch

    layers = {name: module for name, module in model.named_modules()
              if isinstance(module, torch.nn.Linear) and name != "lm_head"}  # fmt: skip
    if not layers:
        raise ValueError(f"{type(model).__name__}: no torch.nn.Linear: want such layers; take a GGUF type")
    grouped = any(settings.get("scheme") == "W4A16" for _, settings in QUANTS[quant])
    for name, module in layers.items() if grouped else ():
        if module.in_features % GROUP:
            raise ValueError(
                f"{name}: rows of {module.in_features} weights: want a multiple of {GROUP}; take int8, fp8 or a GGUF "
                "type"
            )


def modifiers(quant: str) -> list[Any]:
    """What `quant` applies, in order."""
    found = []
    for path, settings in QUANTS[quant]:
        module, _, name = path.rpartition(".")
        found.append(getattr(importlib.import_module(f"llmcompressor.modifiers.{module}"), name)(**settings))
    return found


def quantize(
    weights: Path, quantized: Path, quant: str, device: str, calibration: Path | None, max_seq_length: int | None
) -> dict[str, int]:
    """Writes the folder and returns the counts. Raises ValueError if the model cannot be quantized."""
    import torch
    from datasets import Dataset
    from llmcompressor import oneshot
    from llmcompressor.pipelines.cache import IntermediatesCache
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if device == "cpu":
        IntermediatesCache.pin_memory = lambda *_, **__: None  # pinning memory needs a GPU
    elif not torch.cuda.is_available():
        raise ValueError("--device cuda: torch sees no GPU here; want one, or cpu")
    tokenizer = AutoTokenizer.from_pretrained(weights)
    rows, cut = read(calibration, tokenizer, max_seq_length) if calibration else ([], 0)
    model = AutoModelForCausalLM.from_pretrained(weights, dtype="auto", use_safetensors=True)  # moved layer by layer
    check_layers(model, quant)
    on_rows: dict[str, Any] = {}
    if rows:
        on_rows = {
            "dataset": Dataset.from_list([{"input_ids": row, "attention_mask": [1] * len(row)} for row in rows]),
            "num_calibration_samples": len(rows),
            "shuffle_calibration_samples": False,
            "max_seq_length": max_seq_length,
        }
    oneshot(model=model, tokenizer=tokenizer, recipe=modifiers(quant), **on_rows)
    model.save_pretrained(quantized, save_compressed=True)
    tokenizer.save_pretrained(quantized)
    (quantized / "recipe.yaml").unlink(missing_ok=True)  # repeats the modifiers above
    return {"rows": len(rows), "cut": cut}


def main() -> None:
    parser = argparse.ArgumentParser(description="Quantize a model with llmcompressor.")
    for name in ("weights", "quantized", "counts"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--quant", choices=list(QUANTS), required=True)
    parser.add_argument("--device", choices=["cpu", "cuda"], required=True)
    parser.add_argument("--calibration", type=Path)
    parser.add_argument("--max-seq-length", type=int)
    args = parser.parse_args()
    if bool(args.calibration) != bool(args.max_seq_length):
        parser.error("--calibration and --max-seq-length: want both or none")
    try:
        counts = quantize(
            args.weights, args.quantized, args.quant, args.device, args.calibration, args.max_seq_length
        )  # fmt: skip
    except ValueError as error:
        sys.exit(str(error))
    args.counts.write_text(json.dumps(counts))


if __name__ == "__main__":
    main()
