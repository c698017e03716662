"""Compares a quantized model's answers to held-out rows with those of the model that it was made from.

Inputs:  rows      JSONL canonical rows of the suite
         answers   JSONL, as `answer_quantized` wrote them
         prompts   JSON {changed: prompts that the runtime does not make as in training}
         expected  JSONL, scored answers of the unquantized model to the same rows
Outputs: scored    JSONL {id, prompt, expected, answer, scores}
         parity    JSON {verdict, why, rows, changed_prompts, same_answers,
                   metrics: {metric: {model, file, difference}}}
Params:  parity.<quant>, suites.<suite>
"""

from typing import Any

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.evaluating import answer_file, scoring
from stages.params.evaluation import AnswerSuite
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
        if name in by_file
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
    rows: In, answers: In, prompts: In, expected: In, scored: Out, parity: Out, quant: str, suite: str,
    params: Parity, suite_params: AnswerSuite,
) -> str:  # fmt: skip
    held_out, given, model_answers = jsonl.read(rows), answer_file.read(answers), scoring.read(expected)
    for file, ids in ((answers, [of_row.id for of_row in given]), (expected, [answer.id for answer in model_answers])):
        if [row.id for row in held_out] != ids:
            raise UserError(f"{file}: ids differ from those of {rows}: want answers to the same rows; run `dvc repro`")
    result = scoring.score(held_out, [of_row.answers[0] for of_row in given], suite_params)
    changed = msgspec.json.decode(prompts.read_bytes())["changed"]
    report = compare(result, model_answers, changed, params)
    scoring.write(scored, result)
    accounting.write_json(parity, report)
    told = f"; {changed} prompts are not those of training" if changed else ""
    return (
        f"{report['verdict']}: {report['same_answers']:.3f} of {len(held_out)} answers the same, exact_match "
        f"{report['metrics']['exact_match']['model']:.3f} -> {report['metrics']['exact_match']['file']:.3f}{told}"
    )


if __name__ == "__main__":
    harness.run(main)
