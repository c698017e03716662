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
from functools import partial
from pathlib import Path
from types import ModuleType

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import Checkpoints, In, Out
from stages.params.machine import Machine
from stages.params.training import Step
from stages.rows import accounting
from stages.training import best, chat_template, device, faults, given, kept_rows, processes, resume, tracking, trainers
from stages.training.given import Given
from stages.training.outcome import Outcome
from stages.training.row_renderer import RowRenderer


def read(
    method: ModuleType, start: Path, second_model: Path, train: Path, val: Path, params: Step, where: str
) -> Given:
    """The start model's tokenizer, and the rows to train on and those held out as the method reads them by it.

    Raises:
        UserError: rows lose something, or none is left to train on.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(start)
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
    return Given(start, second_model, tokenizer, kept, held_out)


def check(method: ModuleType, way: ModuleType, found: Given, params: Step, where: str) -> None:
    """Checks all that can be known without the model, which takes time and a GPU to load.

    Raises:
        UserError: something would stop the training, or make another one of it than is declared.
    """
    sides = [side for part in (found.kept, found.held_out) for row in part.sides for side in row]
    looks = [
        lambda: faults.check_weights(found.start),
        lambda: faults.check_vocabulary(found.start, (max(side.ids, default=0) for side in sides)),
        lambda: given.check(found, params, where),
        *(partial(part.check, found, params) for part in (method, way) if hasattr(part, "check")),
    ]
    problems = []
    for look in looks:
        try:
            look()
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))


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
    device.prepare(machine)
    processes.join(f"train.{step}", params, machine)
    trackers, where = tracking.wanted(os.environ.get(tracking.VARIABLE, "")), f"train.{step}"
    method, way = (importlib.import_module(name) for name in (params.modules()[0], params.weights.modules()[0]))
    found = read(method, start, second_model, train, val, params, where)
    check(method, way, found, params, where)
    with faults.told_out_of_memory(where, params), trainers.without_collecting_the_old():
        trainer, save = trainers.build(method, way, found, checkpoints, step, params, machine)
        if processes.is_first():
            tracking.attach(trainer, step, trackers)
        resume.train(trainer)
        if not params.best:
            save(trained)
        if not processes.is_first():
            return ""
        kept_best = best.take(trainer, params, trained) if params.best else None
    outcome = Outcome(
        params, found.kept, found.held_out, trainer, kept_best, answers_itself=method.loss(params) == "prompt"
    )
    consumed.write_bytes(b"".join(msgspec.json.encode(batch) + b"\n" for batch in outcome.batches()))
    accounting.write_json(log, outcome.log())
    return outcome.line()


if __name__ == "__main__":
    harness.run(main)
