"""Merges a trained adapter into the model that it was trained from; a full fine-tune is taken as it is.

Inputs:  start    model folder that the step started from, read afresh in full precision
         trained  folder that `train` wrote
Outputs: merged   model folder, complete: weights, tokenizer, chat template
Params:  none
"""

import shutil
from pathlib import Path

from modelmake import harness
from modelmake.signature import In, Out


def merge(start: Path, adapter: Path, merged: Path) -> int:
    """Adds the adapter to the weights in the base's own dtype; returns how many modules it changed."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(start, dtype="auto", use_safetensors=True), str(adapter)
    )
    changed = sum(1 for module in model.modules() if hasattr(module, "lora_A") and module.lora_A)
    model.merge_and_unload(safe_merge=True).save_pretrained(merged)
    AutoTokenizer.from_pretrained(start).save_pretrained(merged)
    return changed


def main(start: In, trained: In, merged: Out) -> str:
    if (trained / "adapter_config.json").exists():
        return f"adapter merged into {merge(start, trained, merged)} modules"
    shutil.copytree(trained, merged)
    return "full weights taken as trained"


if __name__ == "__main__":
    harness.run(main)
