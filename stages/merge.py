"""Merges a trained adapter into the model that it was trained from; a full fine-tune is copied as it is.

Inputs:  start    model folder that the step started from
         trained  folder that `train` wrote
Outputs: merged   complete model folder: weights, tokenizer, chat template
Params:  train.<step>.quantization
"""

import shutil

import msgspec

from modelmake import harness
from modelmake.signature import In, Out
from stages.params.weights import Quantization
from stages.training.merging import load, merge


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
