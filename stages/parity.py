"""Lets a quantized model answer the held-out rows, and compares with the model that it was made of.

Inputs:  quantized  folder that `quantize` wrote
         rows       JSONL canonical chats of the suite
         expected   JSONL, the model's own scored answers to them
Outputs: answers    JSONL {id, prompt, expected, answer, scores}
         parity     JSON {verdict, why, rows, same_answers, metrics: {metric: {model, file, difference}}}
Params:  parity.<quant>, suites.<suite>, machine
"""

import importlib
from typing import Any

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import Checkpoints, In, Out
from stages.evaluating import scoring
from stages.params.evaluation import Suite
from stages.params.machine import Machine
from stages.params.release import Parity
from stages.rows import accounting, jsonl


def compare(file: list[scoring.Answer], model: list[scoring.Answer], params: Parity) -> dict[str, Any]:
    """How far the file's answers are from the model's, and whether that is within the declared bounds."""
    same = sum(a.answer == b.answer for a, b in zip(file, model, strict=True)) / len(file)
    by_file, by_model = scoring.totals(file), scoring.totals(model)
    metrics = {
        name: {"model": by_model[name], "file": by_file[name], "difference": round(by_file[name] - by_model[name], 6)}
        for name in by_model
    }
    off = abs(metrics["exact_match"]["difference"])
    why = []
    if off > params.max_difference:
        why.append(f"exact_match differs by {off:.4f}, at most {params.max_difference} is allowed")
    if params.min_same_answers is not None and same < params.min_same_answers:
        why.append(f"{same:.4f} of answers are the same, at least {params.min_same_answers} must be")
    return {
        "verdict": "fail" if why else "pass", "why": why, "rows": len(file), "same_answers": round(same, 6),
        "metrics": metrics,
    }  # fmt: skip


def main(
    quantized: In, rows: In, expected: In, answers: Out, parity: Out, checkpoints: Checkpoints, quant: str, suite: str,
    params: Parity, asked: Suite, machine: Machine,
) -> str:  # fmt: skip
    found, model = jsonl.read(rows), scoring.read(expected)
    if [row.id for row in found] != [answer.id for answer in model]:
        raise UserError(f"{expected}: answers other rows than {rows}: want the same; run `dvc repro`")
    runtime = importlib.import_module(params.modules()[0])
    settings = {**params.settings(asked, machine), "checkpoint": checkpoints / "batches.jsonl"}
    generated = runtime.generate(quantized / params.FILE, scoring.questions(found), **settings)
    scored = scoring.score(found, generated, asked)
    result = compare(scored, model, params)
    scoring.write(answers, scored)
    accounting.write_json(parity, result)
    return (
        f"{result['verdict']}: {result['same_answers']:.3f} of {len(found)} answers the same, exact_match "
        f"{result['metrics']['exact_match']['model']:.3f} -> {result['metrics']['exact_match']['file']:.3f}"
    )


if __name__ == "__main__":
    harness.run(main)
