"""LoRA (Hu et al. 2021, arXiv:2106.09685): low-rank updates of frozen weights, which may be in 4 bits (QLoRA).

PiSSA and OLoRA start from a part of each weight, which they take out of the base. What is saved is the difference from
that start, of twice the rank: an adapter of the base as it was.
"""

import copy
from pathlib import Path
from typing import Any

import msgspec

from stages.params.machine import Machine
from stages.params.training import Step
from stages.params.weights import CHANGE_THE_BASE
from stages.training import adapted_modules, processes, start_model
from stages.training.given import Given

START = "adapter_at_start"  # a folder beside the checkpoints
WEIGHTS = "adapter_model.safetensors"


def check(given: Given, params: Step) -> None:
    """Checks which modules, layers and tokens an adapter changes.

    Raises:
        UserError: one is not there, or could not be trained or merged.
    """
    way = params.weights
    adapted_modules.check(
        given.outline(params), given.start, way.target_modules, way.modules_to_save, way.trainable_token_indices,
        way.layers_to_transform, params.quantization is not None,
    )  # fmt: skip


def load(start: Path, params: Step, machine: Machine) -> tuple[Any, Any]:
    """The frozen model of folder `start`, and PEFT's LoraConfig."""
    from peft import LoraConfig

    model = start_model.frozen(start, params, machine)
    fields = copy.deepcopy(msgspec.structs.asdict(params.weights))  # PEFT extends lists of its config where they are
    del fields["loraplus_lr_ratio"]  # of the optimizer
    none = {name: None for name, value in fields.items() if value == []}  # PEFT's name for no modules
    return model, LoraConfig(task_type=params.TASK_TYPE, **fields | none)


def prepare(trainer: Any, params: Step) -> None:
    """Makes what is trained float32; keeps the start of PiSSA and OLoRA; makes LoRA+'s optimizer."""
    start_model.train_in_float32(trainer.model)
    way = params.weights
    if way.init_lora_weights in CHANGE_THE_BASE and processes.is_first():
        trainer.model.save_pretrained(Path(trainer.args.output_dir) / START)
    if way.loraplus_lr_ratio is not None:
        trainer.optimizer = loraplus_optimizer(trainer, way.loraplus_lr_ratio)


def loraplus_optimizer(trainer: Any, ratio: float) -> Any:
    """LoRA+ (Hayou et al. 2024, arXiv:2402.12354): the step's optimizer, with a higher learning rate for B.

    It is of the model as the trainer has wrapped it. One of the model before would train nothing.
    """
    from peft.optimizers import create_loraplus_optimizer

    optimizer, settings = trainer.get_optimizer_cls_and_kwargs(trainer.args, trainer.model)
    rates = {"lr": trainer.args.learning_rate, "loraplus_lr_ratio": ratio}
    rates["loraplus_lr_embedding"] = trainer.args.learning_rate  # PEFT would take 1e-6
    decay = {"loraplus_weight_decay": trainer.args.weight_decay}
    return create_loraplus_optimizer(trainer.model, optimizer, **(settings | rates | decay))


def save(trainer: Any, folder: Path) -> None:
    """The adapter, as PEFT loads it on the model that training started from."""
    trainer.model.save_pretrained(folder)
    start = Path(trainer.args.output_dir) / START
    if start.exists():
        subtract(start, folder)


def subtract(start: Path, folder: Path) -> None:
    """Makes the adapter in `folder` its difference from the one in `start`: BA - B₀A₀ = [B, -B₀][A; A₀].

    PEFT does so too, by a second adapter in the model, which here may be trained on.
    """
    import torch
    from safetensors.torch import load_file, save_file

    before, tensors = load_file(start / WEIGHTS), load_file(folder / WEIGHTS)
    for name, tensor in tensors.items():
        if ".lora_A." in name:
            tensors[name] = torch.cat([tensor, before[name]])
        elif ".lora_B." in name:
            tensors[name] = torch.cat([tensor, -before[name]], dim=1)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    file = folder / "adapter_config.json"
    config = msgspec.json.decode(file.read_bytes())
    alpha = config["lora_alpha"] * (2**0.5 if config["use_rslora"] else 2)  # the scale stays
    file.write_bytes(
        msgspec.json.encode(config | {"init_lora_weights": True, "r": 2 * config["r"], "lora_alpha": alpha})
    )
