"""Compares a quantized model with the model that it was made from, by its answers to held-out rows and its predictions.

Inputs:  rows      JSONL canonical rows of the suite
         answers   JSONL, as `answer_quantized` wrote them
         figures   JSON, as `answer_quantized` wrote it
         expected  JSONL, scored answers of the unquantized model to the same rows
Outputs: scored    JSONL {id, prompt, expected, answer, scores}
         parity    JSON {verdict, why, rows, same_answers, metrics: {metric: {model, file, difference}}, and what
                   `figures` has: prompts, predictions, tensors, sampling}
Params:  parity.<quant>, suites.<suite>
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.evaluating import answer_file, metrics, scoring
from stages.params.evaluation import AnswerSuite
from stages.params.release import Parity
from stages.rows import accounting, jsonl

OF_PREDICTIONS = {  # {parameter: (figure, words for it)}; its name begins with max_ or min_
    "max_mean_kl": ("mean_kl", "mean KL divergence"),
    "max_kl_99_9": ("kl_99_9", "99.9 % KL divergence"),
    "min_same_top": ("same_top", "share of tokens with the same likeliest token"),
    "max_nmse": ("nmse", "NMSE of the logits"),
    "max_perplexity_ratio": ("perplexity_ratio", "perplexity over that of the model"),
}


def compare(
    file: list[scoring.Answer], model: list[scoring.Answer], figures: dict[str, Any], better: dict[str, str],
    params: Parity,
) -> dict[str, Any]:  # fmt: skip
    """Differences between the quantized file and its model, and the verdict under the bounds.

    Args:
        better: {metric: higher or lower}
    """
    same = sum(a.answer == b.answer for a, b in zip(file, model, strict=True)) / len(file)
    by_file, by_model = scoring.totals(file), scoring.totals(model)
    compared = {
        name: {"model": by_model[name], "file": by_file[name], "difference": round(by_file[name] - by_model[name], 6)}
        for name in by_model
        if name in by_file
    }
    why = [*_answers(same, compared, better, params), *_predictions(figures["predictions"], params)]
    changed = figures["prompts"]["changed"]
    if params.max_changed_prompts is not None and changed > params.max_changed_prompts:
        why.append(f"{changed} prompts are not those of training, at most {params.max_changed_prompts} may be")
    elif why and changed:
        why.append(f"{changed} prompts are not those of training (docs/parity.md)")
    return {
        "verdict": "fail" if why else "pass", "why": why, "rows": len(file), "same_answers": round(same, 6),
        "metrics": compared, **figures,
    }  # fmt: skip


def _answers(
    same: float, compared: dict[str, dict[str, float]], better: dict[str, str], params: Parity
) -> Iterator[str]:
    """The bounds on answers that are broken."""
    difference = abs(compared["exact_match"]["difference"])
    if difference > params.max_difference:
        yield f"exact_match differs by {difference:.4f}, at most {params.max_difference} is allowed"
    if params.min_same_answers is not None and same < params.min_same_answers:
        yield f"{same:.4f} of answers are the same, at least {params.min_same_answers} must be"
    for name, most in params.max_losses.items():
        if name not in compared:
            yield f"{name} has no value: want one, of which at most {most:g} may be lost"
        elif (lost := compared[name]["difference"] * (1 if better[name] == "lower" else -1)) > most:
            yield f"{name} is worse by {lost:.4f}, at most {most:g} is allowed"


def _predictions(found: dict[str, Any], params: Parity) -> Iterator[str]:
    """The bounds on predictions of tokens that are broken. No token has been predicted: so are all."""
    for bound, (figure, words) in OF_PREDICTIONS.items():
        if (allowed := getattr(params, bound)) is None:
            continue
        is_most = bound.startswith("max_")
        if (value := found.get(figure)) is None:
            yield f"{words}: no token was predicted, so {bound} = {allowed:g} is not shown"
        elif value > allowed if is_most else value < allowed:
            yield f"{words} is {value:.4g}: want at {'most' if is_most else 'least'} {allowed:g}"


def main(
    rows: In, answers: In, figures: In, expected: In, scored: Out, parity: Out, quant: str, suite: str,
    params: Parity, suite_params: AnswerSuite,
) -> str:  # fmt: skip
    held_out, given, model_answers = jsonl.read(rows), answer_file.read(answers), scoring.read(expected)
    for file, ids in ((answers, [of_row.id for of_row in given]), (expected, [answer.id for answer in model_answers])):
        if [row.id for row in held_out] != ids:
            raise UserError(f"{file}: ids differ from those of {rows}: want answers to the same rows; run `dvc repro`")
    result = scoring.score(held_out, [of_row.answers[0] for of_row in given], suite_params)
    better = {name: metric.better for name, metric in metrics.declared(suite_params).items()}
    report = compare(result, model_answers, msgspec.json.decode(figures.read_bytes()), better, params)
    scoring.write(scored, result)
    accounting.write_json(parity, report)
    predicted, exact = report["predictions"], report["metrics"]["exact_match"]
    kl = f", mean KL {predicted['mean_kl']:.2g}" if predicted["tokens"] else ""
    changed = report["prompts"]["changed"]
    told = f"; {changed} prompts are not those of training" if changed else ""
    return (
        f"{report['verdict']}: {report['same_answers']:.3f} of {len(held_out)} answers the same, exact_match "
        f"{exact['model']:.3f} -> {exact['file']:.3f}{kl}{told}"
    )


if __name__ == "__main__":
    harness.run(main)
