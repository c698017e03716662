"""Trains one step (SFT, DPO, …; all weights or LoRA) from a full model, and records the rows that it consumed.

Inputs:  start     model folder that the step starts from
         train     JSONL canonical rows of the kind that the method trains on
         val       the same, held out; its loss is logged
Outputs: trained   folder: adapter_model.safetensors and adapter_config.json (LoRA), or a full model's files
         consumed  JSONL {step, ids}: ids of the rows in each optimizer step, in order, one line a micro-batch
         log       JSON {in, out, dropped, over_long, steps, history: [{step, loss, eval_loss, …}]}
Params:  train.<step>, machine
"""

import importlib
import sys
from pathlib import Path
from typing import Any

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import Checkpoints, In, Out
from stages.params.machine import Machine
from stages.params.training import Sft, Step
from stages.rows import accounting, jsonl
from stages.rows.row import Row
from stages.training import chat_template, device, progress, resume


def filter_by_length(rows: list[Row], lengths: list[int], params: Step, where: str) -> tuple[list[Row], list[str]]:
    """The rows to train on by `max_length` and `over_long`, and the sorted ids of rows that are too long.

    A mix may repeat a row; its id is then repeated as well. `lengths` are tokens of each row.

    Raises:
        UserError: a row is too long and `over_long` is `error`, or no row is left.
    """
    fits = [length <= params.max_length for length in lengths]
    over_long = sorted(row.id for row, fit in zip(rows, fits, strict=True) if not fit)
    if over_long and params.over_long == "error":
        raise UserError(
            f"{where}: {len(over_long)} rows above max_length = {params.max_length} tokens (longest "
            f"{max(lengths)}, first {over_long[0]}): want none; raise it, or set over_long to drop"
        )
    kept = rows if params.over_long == "truncate" else [row for row, fit in zip(rows, fits, strict=True) if fit]
    if not kept:
        raise UserError(
            f"{where}: no rows to train on: {len(rows)} read, {len(over_long)} too long; "
            "want at least one; look at the reports of ingest, clean, dedup and split"
        )
    return kept, over_long


def training_arguments(params: Step, machine: Machine, folder: Path) -> dict[str, Any]:
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
        "lr_scheduler_type": params.lr_scheduler_type,
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
        "remove_unused_columns": False,  # keeps `row`, which consumed_rows records
        "dataloader_pin_memory": machine.device == "cuda",
        "disable_tqdm": not sys.stderr.isatty(),
    }


def load_model(start: Path, params: Step, machine: Machine) -> tuple[Any, Any]:
    """The model and its LoRA config, None to train all weights. Those are then float32, whatever the folder stores."""
    import torch
    from transformers import AutoModelForCausalLM

    if params.lora is None:
        return AutoModelForCausalLM.from_pretrained(
            start, dtype=torch.float32, device_map=machine.device, use_safetensors=True
        ), None
    from peft import LoraConfig

    if params.quantization:
        qlora = importlib.import_module(params.quantization.modules()[0])
        model = qlora.load_4bit(start, params.quantization, machine.device)
    else:
        model = AutoModelForCausalLM.from_pretrained(
            start, dtype=machine.dtype, device_map=machine.device, use_safetensors=True
        )
    return model, LoraConfig(task_type="CAUSAL_LM", **msgspec.structs.asdict(params.lora))


def as_dataset(examples: list[dict[str, Any]]) -> Any:
    """A datasets.Dataset of the examples; a column that an example lacks is null there.

    Tool calls with different arguments are stored as JSON: otherwise each would get the null fields of all others.
    """
    from datasets import Dataset

    columns = dict.fromkeys(name for example in examples for name in example)
    return Dataset.from_list([{n: e.get(n) for n in columns} for e in examples], on_mixed_types="use_json")


def loss_summary(history: list[dict[str, Any]]) -> str:
    """The first and the last logged loss, for the stage's summary line."""
    losses = [entry["loss"] for entry in history if "loss" in entry]
    return f"loss {losses[0]:.3f} -> {losses[-1]:.3f}" if losses else "fewer steps than logging_steps: no loss logged"


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Saves the adapter or the full model; its configs depend on no set order, path or date."""
    model.config.use_cache = True  # the trainer turns it off; generation is slow without it
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    config = folder / "adapter_config.json"
    if config.exists():
        values = msgspec.json.decode(config.read_bytes())
        if isinstance(values["target_modules"], list):
            values["target_modules"].sort()  # PEFT keeps it as a set
        accounting.write_json(config, dict(sorted(values.items())))
    else:
        tokenizer.save_pretrained(folder)


def main(
    start: In,
    train: In,
    val: In,
    trained: Out,
    consumed: Out,
    log: Out,
    checkpoints: Checkpoints,
    step: str,
    params: Step,
    machine: Machine,
) -> str:
    from transformers import AutoTokenizer, set_seed

    device.prepare(machine)
    method = importlib.import_module(params.modules()[0])
    tokenizer = AutoTokenizer.from_pretrained(start)
    if isinstance(params, Sft) and params.assistant_only_loss:
        chat_template.check(start, tokenizer, f"train.{step}")

    def read(file: Path) -> tuple[int, list[Row], list[str]]:
        rows = jsonl.read(file)
        lengths = [method.count_tokens(row.content, tokenizer) for row in rows]
        return len(rows), *filter_by_length(rows, lengths, params, f"train.{step}: {file}")

    def dataset(rows: list[Row]) -> Any:
        return as_dataset([{**method.example(row.content), "row": i} for i, row in enumerate(rows)])

    n_read, train_rows, over_long = read(train)
    _, val_rows, _ = read(val)
    train_dataset, eval_dataset = dataset(train_rows), dataset(val_rows)
    set_seed(params.seed)  # LoRA's weights are random
    model, peft_config = load_model(start, params, machine)
    trainer = method.trainer(
        params,
        training_arguments(params, machine, checkpoints),
        model=model,
        train_dataset=train_dataset,
        eval_dataset=eval_dataset,
        processing_class=tokenizer,
        peft_config=peft_config,
    )
    for name, rows, kept in (("train", train_rows, trainer.train_dataset), ("val", val_rows, trainer.eval_dataset)):
        if len(rows) != len(kept):
            raise UserError(
                f"train.{step}: the trainer kept {len(kept)} of {len(rows)} {name} rows: want all; "
                "raise max_length, or set over_long to drop"
            )
    progress.attach(trainer)
    resume.train(trainer)
    save(trainer.model, tokenizer, trained)

    truncates = params.over_long == "truncate"
    counts = accounting.account(n_read, len(train_rows), [] if truncates else ["over_long"] * len(over_long))
    batches = [{"step": number, "ids": [train_rows[i].id for i in rows]} for number, rows in trainer.consumed]
    consumed.write_bytes(b"".join(msgspec.json.encode(batch) + b"\n" for batch in batches))
    steps, history = trainer.state.global_step, progress.history(trainer.state.log_history)
    accounting.write_json(log, {**counts, "over_long": over_long, "steps": steps, "history": history})
    n_consumed = len({id for batch in batches for id in batch["ids"]})
    truncated = f", {len(over_long)} truncated" if truncates else ""
    return f"{accounting.summary(counts)}{truncated}; {n_consumed} consumed in {steps} steps; {loss_summary(history)}"


if __name__ == "__main__":
    harness.run(main)
