"""Scores one model on one suite: its greedy answers to held-out chats, or its likelihoods of held-out texts.

Inputs:  weights  model folder
         rows     JSONL canonical rows of the suite
Outputs: answers  JSONL {id, prompt, expected, answer, scores: {metric: [numerator, denominator]}}, sorted by id
         scores   JSON {rows, metrics: {metric: value}, declared: {metric: {better, least, most, source}}}; and, if
                  there are any, unusable: {metric: rows whose expected answer lacks what it compares: all are wrong}
Params:  suites.<suite>, machine
"""

from pathlib import Path

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import Checkpoints, In, Out
from stages.evaluating import metrics, scoring
from stages.evaluating.runtimes import transformers
from stages.params.evaluation import AnySuite, Suite
from stages.params.machine import Machine
from stages.rows import accounting, jsonl, parts


def main(
    weights: In,
    rows: In,
    answers: Out,
    scores: Out,
    checkpoints: Checkpoints,
    suite: str,
    params: AnySuite,
    machine: Machine,
) -> str:
    held_out = jsonl.read(rows)
    if not held_out:
        raise UserError(f"{rows}: no rows: want held-out rows for suite {suite}; raise split.test_fraction or add rows")
    kind = type(params).__struct_config__.tag
    if other := next((row for row in held_out if row.kind != kind), None):
        raise UserError(f"{rows}: {other.id} is a {other.kind}: suites.{suite} wants {kind}; change its rows")
    settings = {
        "batch_size": params.batch_size,
        "device": machine.device,
        "dtype": machine.dtype,
        "checkpoint": checkpoints / "batches.jsonl",
    }
    unusable: dict[str, list[str]] = {}
    if isinstance(params, Suite):
        in_words = scoring.in_words(held_out)
        unusable = scoring.unusable(in_words, params)
        _check_usable(unusable, len(in_words), rows, suite)
        questions = scoring.questions(held_out)
        generated = transformers.generate(weights, questions, max_new_tokens=params.max_new_tokens, **settings)
        scored = scoring.score(held_out, generated, params)
    else:
        texts = [parts.split(row.content).text for row in held_out]
        likelihoods = transformers.text_likelihoods(weights, texts, context_tokens=params.context_tokens, **settings)
        scored = scoring.score_texts(held_out, likelihoods, params)
    totals = scoring.totals(scored)
    scoring.write(answers, scored)
    declared = {name: metric._asdict() for name, metric in metrics.declared(params).items()}
    counts = {name: len(ids) for name, ids in unusable.items()}
    told = {"unusable": counts} if counts else {}
    accounting.write_json(scores, {"rows": len(held_out), "metrics": totals, "declared": declared, **told})
    notes = [f"; {n} expected answers lack what {name} compares: all are wrong" for name, n in counts.items()]
    values = ", ".join(f"{name} {value:.3f}" for name, value in totals.items())
    return f"{len(held_out)} rows: {values}{''.join(notes)}"


def _check_usable(unusable: dict[str, list[str]], in_words: int, rows: Path, suite: str) -> None:
    """Checks that every metric has something to compare.

    Raises:
        UserError: one lacks it in every row that expects no calls.
    """
    for name, ids in unusable.items():
        if len(ids) == in_words:
            raise UserError(
                f"{rows}: suites.{suite}.metrics: {name}: no expected answer has what it compares, such as that of "
                f"{ids[0]}; mend the rows, or leave it out"
            )


if __name__ == "__main__":
    harness.run(main)
