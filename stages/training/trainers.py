"""The trainer of a step: its model, the method's TRL trainer around it, and what watches, tracks and saves it."""

import contextlib
import gc
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from stages.params.machine import Machine
from stages.params.training import Step
from stages.rows import accounting
from stages.training import best, norms, padding, processes, progress, rotary, watching
from stages.training.given import Given

Save = Callable[[Path], None]  # into a folder that is not there yet


def arguments(params: Step, machine: Machine, folder: Path) -> dict[str, Any]:
    """Arguments of transformers' TrainingArguments that every method shares."""
    return {
        "output_dir": str(folder),
        "seed": params.seed,
        "num_train_epochs": params.num_train_epochs,
        "per_device_train_batch_size": params.per_device_train_batch_size,
        "per_device_eval_batch_size": params.per_device_train_batch_size,
        "gradient_accumulation_steps": params.gradient_accumulation_steps,
        "gradient_checkpointing": params.gradient_checkpointing,
        "learning_rate": params.learning_rate,
        "optim": params.optim,
        "lr_scheduler_type": params.lr_scheduler_type,
        "lr_scheduler_kwargs": params.lr_scheduler_kwargs,
        "warmup_steps": params.warmup_steps,
        "weight_decay": params.weight_decay,
        "max_grad_norm": params.max_grad_norm,
        "logging_steps": params.logging_steps,
        "eval_strategy": "steps",
        "eval_steps": params.eval_steps,
        "bf16": machine.dtype == "bfloat16",
        "use_cpu": machine.device == "cpu",
        "save_strategy": "no",
        "report_to": "none",
        "logging_nan_inf_filter": False,  # it would log another loss in the place of one that is not finite
        "remove_unused_columns": False,  # keeps `row`, which consumed_rows records
        "dataloader_pin_memory": machine.device == "cuda",
        "disable_tqdm": not sys.stderr.isatty(),
        **processes.arguments(params),
    }


def build(
    method: ModuleType, way: ModuleType, given: Given, folder: Path, step: str, params: Step, machine: Machine
) -> tuple[Any, Save]:
    """The trainer of a step, and what saves its model.

    Args:
        folder: of its checkpoints.
    """
    from transformers import set_seed

    kept = given.kept
    train_dataset, eval_dataset = kept.dataset(method.example), given.held_out.dataset(method.example)
    set_seed(params.seed)  # LoRA's weights are random
    model, peft_config = way.load(given.start, params, machine)
    padding.unmask(model)
    norms.shorten(model)
    rotary.shorten(model)
    settings = arguments(params, machine, folder)
    trainer = method.trainer(
        params,
        settings if eval_dataset else {**settings, "eval_strategy": "no"},
        model=model,
        train_dataset=train_dataset,
        eval_dataset=eval_dataset,
        processing_class=given.tokenizer,
        peft_config=peft_config,
        **({"second_model": given.second_model} if params.second_model_as() else {}),
    )
    way.prepare(trainer, params)

    def save(to: Path) -> None:
        if params.sharding:  # each process gives its part
            _save(trainer, trainer.save_model, given.tokenizer, to)
        elif processes.is_first():
            _save(trainer, partial(way.save, trainer), given.tokenizer, to)

    n_tokens = [sum(len(side.ids) for side in sides) for sides in kept.sides]
    progress.attach(trainer, n_tokens)
    watching.attach(trainer, f"train.{step}", [row.id for row in kept.rows], params.stop_on)
    if params.best:
        best.attach(trainer, f"train.{step}", params, save)
    return trainer, save


@contextlib.contextmanager
def without_collecting_the_old() -> Iterator[None]:
    """Leaves what is there, libraries and rows, to no collection: a full one would take a third of a second."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _save(trainer: Any, write: Callable[[Path], None], tokenizer: Any, folder: Path) -> None:
    """Saves the adapter or the full model; its configs depend on no set order, path or date."""
    settings, cache = trainer.model.config, trainer.model.config.use_cache
    settings.use_cache = True  # the trainer turns it off; generation is slow without it
    write(folder)
    settings.use_cache = cache
    if not processes.is_first():
        return
    for other in ("README.md", "training_args.bin"):
        (folder / other).unlink(missing_ok=True)
    config = folder / "adapter_config.json"
    if config.exists():
        values = msgspec.json.decode(config.read_bytes())
        if isinstance(values["target_modules"], list):
            values["target_modules"].sort()  # PEFT keeps it as a set
        accounting.write_json(config, dict(sorted(values.items())))
    else:
        tokenizer.save_pretrained(folder)
