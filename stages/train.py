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
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import Checkpoints, In, Out
from stages.params.machine import Machine
from stages.params.training import Step
from stages.rows import accounting
from stages.training import best, chat_template, device, faults, kept_rows, resume, trainers
from stages.training.kept_rows import Kept
from stages.training.outcome import Outcome
from stages.training.row_renderer import RowRenderer


def read_rows(
    method: ModuleType, start: Path, tokenizer: Any, train: Path, val: Path, params: Step, where: str
) -> tuple[Kept, Kept]:
    """The rows to train on and those held out, as the method reads them; and checks that `start` can read them.

    Raises:
        UserError: rows lose something, none is left to train on, or the start model is not whole or lacks tokens.
    """
    stops = [tokenizer.decode([token]) for token in sorted(chat_template.stop_token_ids(start, tokenizer))]
    renderer = RowRenderer(tokenizer, method.loss(params), stops, params.omit)
    if renderer.loss == "assistant" and not chat_template.GENERATION.search(tokenizer.get_chat_template()):
        raise UserError(chat_template.no_generation_block(where, str(start)))
    kept, held_out = kept_rows.read([train, val], renderer, params, where)
    if not kept.rows:
        raise UserError(
            f"{where}: {train}: no rows to train on: {len(kept.over_long)} too long, {len(kept.untrained)} with "
            "nothing to train on; want at least one; look at the reports of ingest, clean, dedup and split"
        )
    faults.check_weights(start)
    sides = [side for part in (kept, held_out) for row in part.sides for side in row]
    faults.check_vocabulary(start, (max(side.ids, default=0) for side in sides))
    return kept, held_out


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
    from transformers import AutoTokenizer

    device.prepare(machine)
    method, tokenizer = importlib.import_module(params.modules()[0]), AutoTokenizer.from_pretrained(start)
    rows = read_rows(method, start, tokenizer, train, val, params, f"train.{step}")
    trainer, save = trainers.build(method, tokenizer, start, second_model, rows, checkpoints, step, params, machine)
    with faults.told_out_of_memory(f"train.{step}", params):
        resume.train(trainer)
    kept_best = best.take(trainer, params, trained) if params.best else None
    if not kept_best:
        save(trained)
    outcome = Outcome(params, *rows, trainer, kept_best, answers_itself=method.loss(params) == "prompt")
    consumed.write_bytes(b"".join(msgspec.json.encode(batch) + b"\n" for batch in outcome.batches()))
    accounting.write_json(log, outcome.log())
    return outcome.line()


if __name__ == "__main__":
    harness.run(main)
