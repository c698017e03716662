"""Answers the held-out rows of compare.suite from a quantized file, in a runtime that serves it. Nothing is scored.

Inputs:  quantized  folder that `quantize` wrote
         rows       JSONL canonical rows of the suite
Outputs: answers    JSONL {id, answers: [text], tokens}, and {cut: 1} of one that is cut; in the order of the rows
         prompts    JSON {changed: prompts that the runtime does not make as in training}
Params:  answer_quantized.<quant>, answer.<suite>, machine
"""

import importlib

from modelmake import harness
from modelmake.signature import Checkpoints, In, Out
from stages.evaluating import answer_file
from stages.evaluating.questions import questions
from stages.params.answering import Greedy, Runtime
from stages.params.machine import Machine
from stages.rows import accounting, jsonl


def main(
    quantized: In, rows: In, answers: Out, prompts: Out, checkpoints: Checkpoints, quant: str, suite: str,
    params: Runtime, answering: Greedy, machine: Machine,
) -> str:  # fmt: skip
    held_out, model = jsonl.read(rows), quantized / params.FILE
    runtime = importlib.import_module(params.modules()[0])
    settings = {**params.settings(answering, machine), "checkpoint": checkpoints / "batches.jsonl"}
    asked = questions(held_out)
    found = runtime.generate(model, asked, **settings)
    given = [answer_file.of(row.id, [answer]) for row, answer in zip(held_out, found, strict=True)]
    changed = runtime.changed_prompts(model, asked)
    answer_file.write(answers, given)
    accounting.write_json(prompts, {"changed": changed})
    told = f"; {changed} prompts are not those of training" if changed else ""
    limit = f"max_new_tokens = {answering.max_new_tokens}"
    return f"{answer_file.told(given, limit)}{told}"


if __name__ == "__main__":
    harness.run(main)
