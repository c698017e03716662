"""Lets one model answer one suite of held-out chats, greedily, or read one of held-out texts, and scores it.

Inputs:  weights  model folder
         rows     JSONL canonical rows of the suite
Outputs: answers  JSONL {id, prompt, expected, answer, scores: {metric: [numerator, denominator]}}, in order of id
         scores   JSON {rows, metrics: {metric: value}}
Params:  suites.<suite>, machine
"""

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import Checkpoints, In, Out
from stages.evaluating import scoring
from stages.evaluating.runtimes import transformers
from stages.params.evaluation import AnySuite, Suite
from stages.params.machine import Machine
from stages.rows import accounting, jsonl


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
    found = jsonl.read(rows)
    if not found:
        raise UserError(f"{rows}: no rows: want held-out rows for suite {suite}; raise split.test_fraction or add rows")
    wanted = type(params).__struct_config__.tag
    if strange := next((row for row in found if row.kind != wanted), None):
        raise UserError(f"{rows}: {strange.id} is a {strange.kind}: suites.{suite} wants {wanted}; change its rows")
    if isinstance(params, Suite):
        generated = transformers.generate(
            weights,
            scoring.questions(found),
            max_new_tokens=params.max_new_tokens,
            batch_size=params.batch_size,
            device=machine.device,
            dtype=machine.dtype,
            checkpoint=checkpoints / "batches.jsonl",
        )
        scored = scoring.score(found, generated, params)
    else:
        readings = transformers.read(
            weights,
            [row.content.text for row in found],
            context_tokens=params.context_tokens,
            batch_size=params.batch_size,
            device=machine.device,
            dtype=machine.dtype,
            checkpoint=checkpoints / "batches.jsonl",
        )
        scored = scoring.score_texts(found, readings, params)
    totals = scoring.totals(scored)
    scoring.write(answers, scored)
    accounting.write_json(scores, {"rows": len(found), "metrics": totals})
    return f"{len(found)} rows: " + ", ".join(f"{name} {value:.3f}" for name, value in totals.items())


if __name__ == "__main__":
    harness.run(main)
