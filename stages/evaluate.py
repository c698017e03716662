"""Lets one model answer one suite of held-out rows, greedily, and scores the answers.

Inputs:  weights  model folder
         rows     JSONL canonical chats of the suite
Outputs: answers  JSONL {id, prompt, expected, answer, scores: {metric: [numerator, denominator]}}, in order of id
         scores   JSON {rows, metrics: {metric: value in [0, 1]}}
Params:  suites.<suite>, machine
"""

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages import rows as canonical
from stages import scoring
from stages.params.evaluation import Suite
from stages.params.machine import Machine
from stages.runtimes import transformers


def main(weights: In, rows: In, answers: Out, scores: Out, suite: str, params: Suite, machine: Machine) -> str:
    found = canonical.read(rows)
    if not found:
        raise UserError(
            f"{rows}: no rows: want held-out chats for suite {suite}; raise split.test_fraction or add rows"
        )
    generated = transformers.generate(
        weights,
        scoring.questions(found),
        max_new_tokens=params.max_new_tokens,
        batch_size=params.batch_size,
        device=machine.device,
        dtype=machine.dtype,
    )
    scored = scoring.score(found, generated, params)
    totals = scoring.totals(scored)
    scoring.write(answers, scored)
    canonical.write_json(scores, {"rows": len(found), "metrics": totals})
    return f"{len(found)} rows: " + ", ".join(f"{name} {value:.3f}" for name, value in totals.items())


if __name__ == "__main__":
    harness.run(main)
