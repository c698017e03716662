"""Models by what they do, in PEFT's names of task types."""

from pathlib import Path
from typing import Any

CLASSES = {  # task type -> (transformers' class, what it is loaded with)
    "CAUSAL_LM": ("AutoModelForCausalLM", {}),
    "SEQ_CLS": ("AutoModelForSequenceClassification", {"num_labels": 1}),  # its head is new and random
}


def load(task_type: str, folder: Path, **settings: Any) -> Any:
    """The model of a folder, of safetensors alone."""
    import transformers

    name, own = CLASSES[task_type]
    return getattr(transformers, name).from_pretrained(folder, use_safetensors=True, **own, **settings)


def outline(task_type: str, folder: Path) -> Any:
    """The same without content: its weights have shapes only, and no file of them is read."""
    import torch
    import transformers

    name, own = CLASSES[task_type]
    config = transformers.AutoConfig.from_pretrained(folder, **own)
    with torch.device("meta"):
        return getattr(transformers, name).from_config(config)
