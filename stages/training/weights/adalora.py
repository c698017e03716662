"""AdaLoRA (Zhang et al. 2023, arXiv:2303.10512): low-rank updates whose ranks move to where they matter.

PEFT moves no rank by itself, and adds the loss that keeps A and B orthogonal to the loss that a model returns, which
not every method reads, once a micro-batch. Here a callback does both, once a step; the logged loss is the method's.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from stages.params.machine import Machine
from stages.params.training import Step
from stages.training import adapted_modules, start_model
from stages.training.given import Given

ADAPTER = "default"  # PEFT's name of it
STATE = "adalora.safetensors"  # in a checkpoint


def check(given: Given, params: Step) -> None:
    """Checks which modules an adapter changes.

    Raises:
        UserError: one is not there, or could not be merged.
    """
    adapted_modules.check(given.outline(params), given.start, params.weights.target_modules, [], [], None, False)


def load(start: Path, params: Step, machine: Machine) -> tuple[Any, Any]:
    """The frozen model of folder `start`, and PEFT's AdaLoraConfig."""
    from peft import AdaLoraConfig

    way = params.weights
    model = start_model.frozen(start, params, machine)
    fields = msgspec.structs.asdict(way) | {"orth_reg_weight": 0.0}  # of the model's loss: the callback has its own
    return model, AdaLoraConfig(task_type=params.TASK_TYPE, total_step=way.tinit + way.tfinal + 1, **fields)


def orthogonality(model: Any) -> Any:
    """How far A's rows and B's columns are from orthonormal: the mean norm of the difference of their products from 1.

    Zhang et al. take the square of the norm, PEFT and this the norm.
    """
    import torch

    distances = []
    for name, weight in model.named_parameters():
        if ".lora_A." in name or ".lora_B." in name:
            products = weight @ weight.T if ".lora_A." in name else weight.T @ weight  # (r, r)
            distances.append(torch.linalg.matrix_norm(products - torch.eye(len(products), device=products.device)))
    return torch.stack(distances).mean()


def prepare(trainer: Any, params: Step) -> None:
    """Makes what is trained float32; makes the trainer move ranks, and keep what that depends on in its checkpoints."""
    from safetensors.torch import load_file, save_file
    from transformers import TrainerCallback

    start_model.train_in_float32(trainer.model)
    way = params.weights
    tuner, config = trainer.model.base_model, trainer.model.peft_config[ADAPTER]
    allocator = tuner.rankallocator

    class Ranks(TrainerCallback):
        pattern = None  # of the ranks that are left; not in `config`, or checkpoints would lose the others

        def on_train_begin(self, args, state, control, **_):
            import torch

            config.total_step = state.max_steps
            saved = Path(args.output_dir) / f"checkpoint-{state.global_step}" / STATE
            if saved.exists():
                tensors = load_file(saved, device=str(args.device))
                for field in ("exp_avg_ipt", "exp_avg_unc"):
                    values = {name.partition(" ")[2]: t for name, t in tensors.items() if name.startswith(f"{field} ")}
                    setattr(allocator, field, values)
                allocator.ipt = {name: torch.zeros_like(value) for name, value in allocator.exp_avg_ipt.items()}
                self.pattern = json.loads(saved.with_suffix(".json").read_text())

        def on_step_begin(self, args, state, control, **_):
            if way.orth_reg_weight:
                (way.orth_reg_weight * orthogonality(trainer.model)).backward()

        def on_optimizer_step(self, args, state, control, **_):
            config.rank_pattern = self.pattern
            tuner.update_and_allocate(state.global_step + 1)
            self.pattern, config.rank_pattern = config.rank_pattern, None

        def on_save(self, args, state, control, **_):
            file = Path(args.output_dir) / f"checkpoint-{state.global_step}" / STATE
            fields = {"exp_avg_ipt": allocator.exp_avg_ipt, "exp_avg_unc": allocator.exp_avg_unc}
            tensors = {f"{field} {name}": t for field, values in fields.items() for name, t in values.items()}
            save_file(tensors, file)
            file.with_suffix(".json").write_text(json.dumps(self.pattern))

    trainer.add_callback(Ranks())


def save(trainer: Any, folder: Path) -> None:
    """The adapter, without the ranks that were taken from it."""
    config = trainer.model.peft_config[ADAPTER]
    config.rank_pattern = {
        name: (weight != 0).flatten().tolist()
        for name, weight in trainer.model.base_model.model.named_parameters()
        if f".lora_E.{ADAPTER}" in name
    }
    trainer.model.save_pretrained(folder)
    config.rank_pattern = None  # training may go on with all of them
