"""Adapters that were trained elsewhere: whether all that such a folder holds is what PEFT would add to the model. And
whole models.
"""

from pathlib import Path
from typing import Any

import msgspec

from stages.training import task_types

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")
STARTS = (True, False, "gaussian", "orthogonal", "eva")  # of init_lora_weights: those that leave the base as it is
SHOWN = 3
CHATS = [
    [{"role": "user", "content": "Hi"}],
    [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "So?"}, {"role": "user", "content": "So."}],
]


def is_whole(folder: Path) -> bool:
    """Whether it is the folder of a model, and of no adapter."""
    return (folder / "config.json").is_file() and not (folder / CONFIG).is_file()


def whole_problems(folder: Path) -> list[str]:
    """What of the folder of a model cannot be answered with, a line each."""
    found = [f"{file}: a pickle, which is never read: want safetensors alone"
             for file in sorted(folder.rglob("*")) if file.suffix in PICKLES]  # fmt: skip
    if not any(folder.glob("*.safetensors")):
        found.append(f"{folder}: no weights: want *.safetensors")
    if "auto_map" in msgspec.json.decode((folder / "config.json").read_bytes()):
        found.append(f"{folder}/config.json: auto_map: code of its author is never run; take a model without")
    found += [f"{folder}: no {name}: want it, as `merge` writes it"
              for name in ("tokenizer.json", "chat_template.jinja") if not (folder / name).is_file()]  # fmt: skip
    return found


def problems(folder: Path) -> list[str]:
    """What its files and its config.json say that cannot be merged, a line each."""
    if not (folder / CONFIG).is_file():
        return [f"{folder}: no {CONFIG}: want the folder of an adapter, as PEFT's save_pretrained writes it"]
    if not (folder / WEIGHTS).is_file():
        pickles = sorted(file.name for file in folder.iterdir() if file.suffix in PICKLES)
        found = f"{pickles[0]} is a pickle, which is never read" if pickles else f"no {WEIGHTS}"
        return [f"{folder}: {found}: want {WEIGHTS}; save it again with a PEFT of today"]
    config = msgspec.json.decode((folder / CONFIG).read_bytes())
    peft_type, task, start = (config.get(name) for name in ("peft_type", "task_type", "init_lora_weights"))
    found = []
    if peft_type != "LORA":
        found.append(f"peft_type = {peft_type!r}: want LORA: no other adapter is all in the weights of linear layers")
    if task not in ("CAUSAL_LM", None):
        found.append(f"task_type = {task!r}: want CAUSAL_LM, a model that answers")
    if start not in STARTS:
        found.append(
            f"init_lora_weights = {start!r}: want an adapter of the base as it is stored; save it with "
            "path_initial_model_for_weight_conversion"
        )
    return [f"{folder}/{CONFIG}: {problem}" for problem in found]


def unlike(folder: Path, start: Path) -> list[str]:
    """How the adapter's tensors differ from those that PEFT makes for the model by the adapter's config.

    PEFT itself leaves out what has no place, and starts anew what is missing.
    """
    found, wanted = _shapes(folder / WEIGHTS), _wanted(folder, start)
    kinds = {
        "have no place in the model": sorted(found.keys() - wanted.keys()),
        "are named by the config and missing": sorted(wanted.keys() - found.keys()),
        "have another shape": [
            f"{name} {found[name]} for {wanted[name]}"
            for name in sorted(found.keys() & wanted.keys())
            if found[name] != wanted[name]
        ],
    }
    return [
        f"{folder}: {len(names)} of {len(found)} tensors {kind}: {', '.join(names[:SHOWN])}: want an adapter that was "
        "trained on this very model"
        for kind, names in kinds.items()
        if names
    ]


def _shapes(file: Path) -> dict[str, tuple[int, ...]]:
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as tensors:
        return {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}


def _wanted(folder: Path, start: Path) -> dict[str, tuple[int, ...]]:
    import torch
    from peft import PeftConfig, get_peft_model, get_peft_model_state_dict

    config = PeftConfig.from_pretrained(str(folder))
    config.inference_mode = False
    with torch.device("meta"):  # shapes without numbers
        adapted = get_peft_model(task_types.outline("CAUSAL_LM", start), config)
    state = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def other_words(folder: Path, start: Path) -> list[str]:
    """How a tokenizer beside the adapter differs from the model's: other tokens, or chats written otherwise."""
    if not (folder / "tokenizer.json").is_file():
        return []
    from transformers import AutoTokenizer

    theirs, ours = AutoTokenizer.from_pretrained(folder), AutoTokenizer.from_pretrained(start)
    if theirs.get_vocab() != ours.get_vocab():
        others = sorted(dict(theirs.get_vocab().items() ^ ours.get_vocab().items()))
        return [f"{folder}/tokenizer.json: {others[0]!r} has another id in {start}: want the tokenizer of the model"]
    if not theirs.chat_template:
        return []
    for chat in CHATS:
        written, wanted = (_rendered(tokenizer, chat) for tokenizer in (theirs, ours))
        if written != wanted:
            return [
                f"{folder}: its chat template writes {written!r} where that of {start} writes {wanted!r}: want the one "
                "that it was trained with; name it in base.chat_template, or take the template out of the folder"
            ]
    return []


def _rendered(tokenizer: Any, chat: list[dict[str, str]]) -> str:
    return tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
