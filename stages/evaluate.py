"""Scores one model on one suite: its greedy answers to held-out chats, or its likelihoods of held-out texts.

Inputs:  weights  model folder
         rows     JSONL canonical rows of the suite
Outputs: answers  JSONL {id, prompt, expected, answer, scores: {metric: [numerator, denominator]}}, sorted by id
         scores   JSON {rows, metrics: {metric: value}, declared: {metric: {better, least, most, source}}}
Params:  suites.<suite>, machine
"""

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
    if isinstance(params, Suite):
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
    accounting.write_json(scores, {"rows": len(held_out), "metrics": totals, "declared": declared})
    return f"{len(held_out)} rows: " + ", ".join(f"{name} {value:.3f}" for name, value in totals.items())


if __name__ == "__main__":
    harness.run(main)
