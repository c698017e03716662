"""Trains one step (SFT, DPO, …; full or LoRA) from a full model, and records which rows it consumed.

Inputs:  start     model folder that the step starts from
         train     JSONL canonical rows of the kind that the method wants
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


def fit(found: list[Row], lengths: list[int], params: Step, where: str) -> tuple[list[Row], list[str]]:
    """The rows that fit `max_length` by the step's policy, and the ids of those that did not.

    Raises:
        UserError: the policy is `error` and a row is too long, or nothing is left.
    """
    fits = [length <= params.max_length for length in lengths]
    long = sorted(row.id for row, fit in zip(found, fits, strict=True) if not fit)  # a mix may have a row repeatedly
    if long and params.over_long == "error":
        raise UserError(
            f"{where}: {len(long)} rows above max_length = {params.max_length} tokens (longest "
            f"{max(lengths)}, first {long[0]}): want none; raise it, or set over_long to drop"
        )
    kept = found if params.over_long == "truncate" else [row for row, fit in zip(found, fits, strict=True) if fit]
    if not kept:
        raise UserError(
            f"{where}: no rows to train on: {len(found)} read, {len(long)} too long; "
            "want at least one; look at the reports of ingest, clean, dedup and split"
        )
    return kept, long


def arguments(params: Step, machine: Machine, folder: Path) -> dict[str, Any]:
    """What every TRL config takes, from the step's params."""
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
        "remove_unused_columns": False,  # `row` must reach the step
        "dataloader_pin_memory": machine.device == "cuda",
        "disable_tqdm": not sys.stderr.isatty(),
    }


def load_model(start: Path, params: Step, machine: Machine) -> tuple[Any, Any]:
    """The model to train and its LoRA config (None trains all). Full training keeps weights in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    if params.lora is None:
        return AutoModelForCausalLM.from_pretrained(
            start, dtype=torch.float32, device_map=machine.device, use_safetensors=True
        ), None
    from peft import LoraConfig

    if params.quantization:
        module = importlib.import_module(params.quantization.modules()[0])
        model = module.load(start, params.quantization, machine.device)
    else:
        model = AutoModelForCausalLM.from_pretrained(
            start, dtype=machine.dtype, device_map=machine.device, use_safetensors=True
        )
    return model, LoraConfig(task_type="CAUSAL_LM", **msgspec.structs.asdict(params.lora))


def table(examples: list[dict[str, Any]]) -> Any:
    """The examples as TRL takes them: what one of them lacks is null, and arguments of tools keep their own fields."""
    from datasets import Dataset

    columns = dict.fromkeys(name for example in examples for name in example)
    return Dataset.from_list([{n: e.get(n) for n in columns} for e in examples], on_mixed_types="use_json")


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

    def dataset(file: Path) -> tuple[list[Row], list[Row], list[str], Any]:
        found = jsonl.read(file)
        lengths = [method.tokens(row.content, tokenizer) for row in found]
        kept, long = fit(found, lengths, params, f"train.{step}: {file}")
        return (
            found,
            kept,
            long,
            table([{**method.example(r.content), "row": i} for i, r in enumerate(kept)]),
        )

    found, kept, long, examples = dataset(train)
    _, val_kept, _, val_examples = dataset(val)
    set_seed(params.seed)  # before LoRA's weights are made
    model, peft_config = load_model(start, params, machine)
    trainer = method.trainer(
        params,
        arguments(params, machine, checkpoints),
        model=model,
        train_dataset=examples,
        eval_dataset=val_examples,
        processing_class=tokenizer,
        peft_config=peft_config,
    )
    for name, sent, got in (("train", kept, trainer.train_dataset), ("val", val_kept, trainer.eval_dataset)):
        if len(sent) != len(got):
            raise UserError(
                f"train.{step}: the trainer kept {len(got)} of {len(sent)} {name} rows: want all; "
                "raise max_length, or set over_long to drop"
            )
    progress.attach(trainer)
    resume.train(trainer)
    save(trainer.model, tokenizer, trained)

    dropped = [] if params.over_long == "truncate" else ["over_long"] * len(long)
    counts = accounting.account(len(found), len(kept), dropped)
    order = [{"step": number, "ids": [kept[i].id for i in batch]} for number, batch in trainer.consumed]
    consumed.write_bytes(b"".join(msgspec.json.encode(batch) + b"\n" for batch in order))
    history = progress.history(trainer.state.log_history)
    accounting.write_json(log, {**counts, "over_long": long, "steps": trainer.state.global_step, "history": history})
    distinct = len({i for batch in order for i in batch["ids"]})
    cut = f", {len(long)} truncated" if params.over_long == "truncate" else ""
    return f"{accounting.summary(counts)}{cut}; {distinct} consumed in {trainer.state.global_step} steps; {losses(history)}"


def losses(history: list[dict[str, Any]]) -> str:
    """The first and the last loss that was logged, in words."""
    found = [entry["loss"] for entry in history if "loss" in entry]
    return f"loss {found[0]:.3f} -> {found[-1]:.3f}" if found else "fewer steps than logging_steps: no loss logged"


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Weights as safetensors, with configs that do not depend on set order, paths or the day."""
    model.config.use_cache = True  # the trainer switches it off, and generation is slow without
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    config = folder / "adapter_config.json"
    if config.exists():
        values = msgspec.json.decode(config.read_bytes())
        if isinstance(values["target_modules"], list):
            values["target_modules"].sort()  # a set inside PEFT
        accounting.write_json(config, dict(sorted(values.items())))
    else:
        tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    harness.run(main)
