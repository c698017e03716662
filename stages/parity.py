"""Compares a quantized model's answers to held-out rows with those of the model that it was made from.

Inputs:  quantized  folder that `quantize` wrote
         rows       JSONL canonical chats of the suite
         expected   JSONL, scored answers of the unquantized model to the same rows
Outputs: answers    JSONL {id, prompt, expected, answer, scores}
         parity     JSON {verdict, why, rows, changed_prompts, same_answers,
                    metrics: {metric: {model, file, difference}}}
Params:  parity.<quant>, suites.<suite>, machine
"""

import importlib
from typing import Any

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import Checkpoints, In, Out
from stages.evaluating import scoring
from stages.params.evaluation import AnswerSuite
from stages.params.machine import Machine
from stages.params.release import Parity
from stages.rows import accounting, jsonl


def compare(
    file: list[scoring.Answer], model: list[scoring.Answer], changed_prompts: int, params: Parity
) -> dict[str, Any]:
    """Differences between the answers of the quantized file and of its model, and the verdict under the bounds."""
    same = sum(a.answer == b.answer for a, b in zip(file, model, strict=True)) / len(file)
    by_file, by_model = scoring.totals(file), scoring.totals(model)
    metrics = {
        name: {"model": by_model[name], "file": by_file[name], "difference": round(by_file[name] - by_model[name], 6)}
        for name in by_model
    }
    difference = abs(metrics["exact_match"]["difference"])
    why = []
    if difference > params.max_difference:
        why.append(f"exact_match differs by {difference:.4f}, at most {params.max_difference} is allowed")
    if params.min_same_answers is not None and same < params.min_same_answers:
        why.append(f"{same:.4f} of answers are the same, at least {params.min_same_answers} must be")
    if why and changed_prompts:
        why.append(f"{changed_prompts} prompts are not those of training (docs/metrics.md)")
    return {
        "verdict": "fail" if why else "pass", "why": why, "rows": len(file), "changed_prompts": changed_prompts,
        "same_answers": round(same, 6), "metrics": metrics,
    }  # fmt: skip


def main(
    quantized: In, rows: In, expected: In, answers: Out, parity: Out, checkpoints: Checkpoints, quant: str, suite: str,
    params: Parity, suite_params: AnswerSuite, machine: Machine,
) -> str:  # fmt: skip
    held_out, model_answers = jsonl.read(rows), scoring.read(expected)
    if [row.id for row in held_out] != [answer.id for answer in model_answers]:
        raise UserError(f"{expected}: ids differ from those of {rows}: want answers to the same rows; run `dvc repro`")
    runtime = importlib.import_module(params.modules()[0])
    settings = {**params.settings(suite_params, machine), "checkpoint": checkpoints / "batches.jsonl"}
    questions, model = scoring.questions(held_out), quantized / params.FILE
    generated = runtime.generate(model, questions, **settings)
    scored = scoring.score(held_out, generated, suite_params)
    result = compare(scored, model_answers, runtime.changed_prompts(model, questions), params)
    scoring.write(answers, scored)
    accounting.write_json(parity, result)
    changed = f"; {result['changed_prompts']} prompts are not those of training" if result["changed_prompts"] else ""
    return (
        f"{result['verdict']}: {result['same_answers']:.3f} of {len(held_out)} answers the same, exact_match "
        f"{result['metrics']['exact_match']['model']:.3f} -> {result['metrics']['exact_match']['file']:.3f}{changed}"
    )


if __name__ == "__main__":
    harness.run(main)
