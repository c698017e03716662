"""Merges a trained adapter into the model that it was trained from; a full fine-tune is copied as it is.

Inputs:  start    model folder that the step started from
         trained  folder that `train` wrote
Outputs: merged   complete model folder: weights, tokenizer, chat template
Params:  train.<step>.quantization
"""

import importlib
import shutil
from pathlib import Path
from typing import Any

import msgspec

from modelmake import harness
from modelmake.signature import In, Out
from stages.params.weights import Quantization
from stages.training import task_types


def load(start: Path, quantization: Quantization | None, task_type: str) -> Any:
    """The model that the adapter was trained on, in its stored dtype; after QLoRA, with weights rounded to 4 bits."""
    if quantization:
        return importlib.import_module(quantization.modules()[0]).load_dequantized(start, quantization)
    return task_types.load(task_type, start, dtype="auto")


def merge(model: Any, adapter: Path) -> tuple[Any, int]:
    """Adds the adapter to the weights, in their own dtype. Returns the model and the number of modules changed."""
    from peft import PeftModel

    adapted = PeftModel.from_pretrained(model, str(adapter))
    changed = sum(1 for module in adapted.modules() if hasattr(module, "lora_A") and module.lora_A)
    return adapted.merge_and_unload(safe_merge=True), changed


def main(start: In, trained: In, merged: Out, step: str, quantization: Quantization | None) -> str:
    if not (trained / "adapter_config.json").exists():
        shutil.copytree(trained, merged)
        return "no adapter: weights copied"
    from transformers import AutoTokenizer

    task_type = msgspec.json.decode((trained / "adapter_config.json").read_bytes())["task_type"]
    model, changed = merge(load(start, quantization, task_type), trained)
    model.save_pretrained(merged)
    AutoTokenizer.from_pretrained(start).save_pretrained(merged)
    rounded = ", of weights rounded to 4 bits as in training" if quantization else ""
    return f"adapter merged into {changed} modules{rounded}"


if __name__ == "__main__":
    harness.run(main)
