"""Trains one step, by a method of stages/training/methods, and records the rows that it consumed.

Inputs:  start     model folder that the step starts from
         second_model  folder of a model that the method uses; recipes/no_model.json where it uses none
         train     JSONL canonical rows of the kind that the method trains on
         val       the same, held out; its loss is logged
Outputs: trained   folder: adapter_model.safetensors and adapter_config.json (LoRA), or a full model's files
         consumed  JSONL {step, ids}: ids of the rows in each optimizer step, in order, one line a micro-batch
         log       JSON {in, out, dropped, over_long, split, untrained, tokens, val, val_tokens, steps, best, jumps,
                   idle, history: [{step, loss, eval_loss, …}]}; val: {in, out, dropped}; tokens: {rows, total, trained,
                   longest, over_long, omitted}, of val as well; best: {step, metric} that is kept; jumps: [{step, loss,
                   median, ids}] of the loss; idle: steps of gradient 0; of answers of the model itself also groups
                   and equal_groups: how many were sampled, and how many of them had equal rewards
Params:  train.<step>, machine
"""

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import Checkpoints, In, Out
from stages.params.machine import Machine
from stages.params.training import Step
from stages.rows import accounting, jsonl
from stages.rows.row import Content
from stages.training import best, chat_template, device, faults, kept_rows, progress, resume, tokens, tracking, watching
from stages.training.kept_rows import Kept
from stages.training.row_renderer import RowRenderer
from stages.training.tokens import Tokens

LONGER = {"truncate": "truncated", "split": "split"}  # what became of rows above max_length that stay


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
    }


def prepare(files: list[Path], renderer: RowRenderer, params: Step, where: str) -> list[Kept]:
    """What training reads of each file: rows rendered and tokenized once, and accounted for.

    Raises:
        UserError: rows lose something on the way to their tokens, in any of the files; or one is too long and
            `over_long` is `error`.
    """
    read = []
    for file in files:
        rows = jsonl.read(file)
        read.append((file, rows, list(tokens.encode([row.content for row in rows], renderer.tokenizer, renderer))))
    problems = [f"{file}: {loss}" for file, rows, encoded in read for loss in kept_rows.losses(rows, encoded)]
    if problems:
        raise UserError(f"{where}: {'; '.join(problems)}: {kept_rows.ADVICE}")
    return [kept_rows.keep(rows, encoded, params, f"{where}: {file}") for file, rows, encoded in read]


def as_dataset(kept: Kept, example: Callable[[Content, list[Tokens]], dict[str, Any]]) -> Any:
    """A datasets.Dataset of tokens, with the index of each row; None if there is no row."""
    from datasets import Dataset

    columns = [
        {**example(row.content, sides), "row": i}
        for i, (row, sides) in enumerate(zip(kept.rows, kept.sides, strict=True))
    ]
    return Dataset.from_list(columns) if columns else None


def row_counts(kept: Kept, params: Step) -> dict[str, Any]:
    """{in, out, dropped: {reason: n}} of a file's rows."""
    reasons = ["untrained"] * len(kept.untrained)
    if params.over_long == "drop":
        reasons += ["over_long"] * len(kept.over_long)
    return accounting.account(len(kept.rows) + len(reasons), len(kept.rows), reasons)


def change(history: list[dict[str, Any]], measure: str) -> str:
    """The first and the last logged loss or reward, for the stage's summary line."""
    values = [entry[measure] for entry in history if measure in entry]
    if not values:
        return f"fewer steps than logging_steps: no {measure} logged"
    return f"{measure} {values[0]:.3f} -> {values[-1]:.3f}"


def save(trainer: Any, way: Any, tokenizer: Any, folder: Path) -> None:
    """Saves the adapter or the full model; its configs depend on no set order, path or date."""
    settings, cache = trainer.model.config, trainer.model.config.use_cache
    settings.use_cache = True  # the trainer turns it off; generation is slow without it
    way.save(trainer, folder)
    settings.use_cache = cache
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
    second_model: In,
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
    stops = [tokenizer.decode([token]) for token in sorted(chat_template.stop_token_ids(start, tokenizer))]
    renderer = RowRenderer(tokenizer, method.loss(params), stops, params.omit)
    if renderer.loss == "assistant" and not chat_template.GENERATION.search(tokenizer.get_chat_template()):
        raise UserError(chat_template.no_generation_block(f"train.{step}", str(start)))
    kept, held_out = prepare([train, val], renderer, params, f"train.{step}")
    if not kept.rows:
        raise UserError(
            f"train.{step}: {train}: no rows to train on: {len(kept.over_long)} too long, {len(kept.untrained)} with "
            "nothing to train on; want at least one; look at the reports of ingest, clean, dedup and split"
        )
    train_dataset, eval_dataset = as_dataset(kept, method.example), as_dataset(held_out, method.example)
    faults.check_weights(start)
    sides = [side for part in (kept, held_out) for row in part.sides for side in row]
    faults.check_vocabulary(start, (max(side.ids, default=0) for side in sides))
    set_seed(params.seed)  # LoRA's weights are random
    way = importlib.import_module(params.weights.modules()[0])
    model, peft_config = way.load(start, params, machine)
    arguments = training_arguments(params, machine, checkpoints)
    trainer = method.trainer(
        params,
        arguments if eval_dataset else {**arguments, "eval_strategy": "no"},
        model=model,
        train_dataset=train_dataset,
        eval_dataset=eval_dataset,
        processing_class=tokenizer,
        peft_config=peft_config,
        **({"second_model": second_model} if params.second_model_as() else {}),
    )
    if params.quantization:
        importlib.import_module(params.quantization.modules()[0]).train_in_float32(trainer.model)
    way.prepare(trainer, params)
    n_tokens = [sum(len(side.ids) for side in sides) for sides in kept.sides]
    progress.attach(trainer, n_tokens)
    watching.attach(trainer, f"train.{step}", [row.id for row in kept.rows], params.stop_on)
    tracking.attach(trainer, step, os.environ.get(tracking.VARIABLE, ""))
    if params.best:
        best.attach(trainer, f"train.{step}", params, lambda folder: save(trainer, way, tokenizer, folder))
    with faults.told_out_of_memory(f"train.{step}", params):
        resume.train(trainer)
    steps = last_step = trainer.state.global_step
    if kept_best := best.take(trainer, params, trained) if params.best else None:
        last_step = kept_best["step"]
    else:
        save(trainer, way, tokenizer, trained)

    counts, val_counts = row_counts(kept, params), row_counts(held_out, params)
    batches = [
        {"step": number, "ids": [kept.rows[i].id for i in rows]}
        for number, rows in trainer.consumed
        if number <= last_step  # what came after is in no weight that is kept
    ]
    consumed.write_bytes(b"".join(msgspec.json.encode(batch) + b"\n" for batch in batches))
    long = {"over_long": [], "split": []} | {"split" if params.over_long == "split" else "over_long": kept.over_long}
    history = progress.history(trainer.state.log_history)
    answers_itself = renderer.loss == "prompt"
    groups = trainer.groups() if answers_itself else {}
    accounting.write_json(
        log,
        {
            **counts, **groups, **long, "untrained": kept.untrained, "tokens": kept.counts(),
            "val": val_counts, "val_tokens": held_out.counts(), "steps": steps, "best": kept_best,
            "jumps": [jump._asdict() for jump in trainer.watch.jumps], "idle": trainer.watch.idle, "history": history,
        },
    )  # fmt: skip
    n_consumed = len({id for batch in batches for id in batch["ids"]})
    notes = f", {len(kept.over_long)} {LONGER[params.over_long]}" if params.over_long in LONGER else ""
    if answers_itself:
        notes += (
            f"; {groups['equal_groups']} of {groups['groups']} groups of answers had equal rewards: nothing learned"
        )
    else:
        notes += f"; {kept.counts()['trained']:,} of {kept.counts()['total']:,} tokens trained"
    notes += f"; {trainer.watch.idle} steps trained nothing" if trainer.watch.idle else ""
    if kept_best:
        notes += f"; kept step {last_step} of {steps}, {params.best.metric} {kept_best[params.best.metric]:.4f}"
    notes += f"; val: {accounting.summary(val_counts)}" if val_counts["dropped"] else ""
    measure = "reward" if answers_itself else "loss"
    if not held_out.rows:
        notes += f"; no val rows, so no eval_{measure}"
    elif steps < params.eval_steps and not kept_best:
        notes += f"; fewer steps than eval_steps, so no eval_{measure}"
    return f"{accounting.summary(counts)}{notes}; {n_consumed} consumed in {steps} steps; {change(history, measure)}"


if __name__ == "__main__":
    harness.run(main)
