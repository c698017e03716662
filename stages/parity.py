"""Lets llama.cpp answer the held-out rows from the quantized file, and compares with the model it was made of.

Inputs:  quantized  folder that `quantize` wrote; model.gguf has tokenizer and chat template within
         rows       JSONL canonical chats of the suite
         expected   JSONL, the model's own scored answers to them
Outputs: answers    JSONL {id, prompt, expected, answer, scores}
         parity     JSON {verdict, why, rows, same_answers, metrics: {metric: {model, file, difference}}}
Params:  parity, suites.<suite>, machine
"""

from typing import Any

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages import rows as canonical
from stages import scoring
from stages.params.evaluation import Suite
from stages.params.machine import Machine
from stages.params.release import Parity
from stages.runtimes import llama_cpp


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
    if same < params.min_same_answers:
        why.append(f"{same:.4f} of answers are the same, at least {params.min_same_answers} must be")
    return {
        "verdict": "fail" if why else "pass", "why": why, "rows": len(file), "same_answers": round(same, 6),
        "metrics": metrics,
    }  # fmt: skip


def main(
    quantized: In, rows: In, expected: In, answers: Out, parity: Out, suite: str, params: Parity, asked: Suite,
    machine: Machine,
) -> str:  # fmt: skip
    found, model = canonical.read(rows), scoring.read(expected)
    if [row.id for row in found] != [answer.id for answer in model]:
        raise UserError(f"{expected}: answers other rows than {rows}: want the same; run `dvc repro`")
    generated = llama_cpp.generate(
        quantized / "model.gguf",
        scoring.questions(found),
        max_new_tokens=asked.max_new_tokens,
        threads=machine.threads,
        context_tokens=params.context_tokens,
    )
    scored = scoring.score(found, generated, asked)
    result = compare(scored, model, params)
    scoring.write(answers, scored)
    canonical.write_json(parity, result)
    return (
        f"{result['verdict']}: {result['same_answers']:.3f} of {len(found)} answers the same, exact_match "
        f"{result['metrics']['exact_match']['model']:.3f} -> {result['metrics']['exact_match']['file']:.3f}"
    )


if __name__ == "__main__":
    harness.run(main)
