"""Answers the held-out rows of a suite with one model, or reads how likely it finds held-out texts. Nothing is scored.

Inputs:  weights  model folder
         rows     JSONL canonical rows of the suite
Outputs: answers  JSONL {id, answers: [text, …]}, one answer or as many as are sampled, and if some are cut at
                  max_new_tokens {cut: how many}, and {tokens: [of their prompts, of the answers]}; of texts
                  {id, likelihood: [nats, hits, tokens, bytes]}; in the order of the rows
Params:  answer.<suite>, machine
"""

import math
from pathlib import Path
from typing import Any

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import Checkpoints, In, Out
from stages.evaluating import answer_file
from stages.evaluating.answer_file import Given
from stages.evaluating.questions import questions
from stages.evaluating.runtimes import transformers
from stages.evaluating.sampling import Sampling
from stages.params.answering import Answering, Likelihood, Sampled
from stages.params.machine import Machine
from stages.rows import jsonl, parts
from stages.rows.row import Row


def main(
    weights: In, rows: In, answers: Out, checkpoints: Checkpoints, suite: str, params: Answering, machine: Machine
) -> str:
    held_out = jsonl.read(rows)
    _check_kinds(held_out, rows, suite, params)
    settings = {
        "batch_size": params.batch_size,
        "device": machine.device,
        "dtype": machine.dtype,
        "checkpoint": checkpoints / "batches.jsonl",
    }
    if isinstance(params, Likelihood):
        texts = [parts.split(row.content).text for row in held_out]
        likelihoods = transformers.text_likelihoods(weights, texts, context_tokens=params.context_tokens, **settings)
        for row, found in zip(held_out, likelihoods, strict=True):
            if not math.isfinite(found.nats):
                raise UserError(
                    f"{weights}: the likelihood of {row.id} is {found.nats}: want finite weights; train again"
                )
        given = [Given(row.id, likelihood=found) for row, found in zip(held_out, likelihoods, strict=True)]
        told = f"{sum(found.tokens for found in likelihoods)} tokens of {len(given)} texts read"
    else:
        given = _generated(weights, held_out, params, settings)
        told = answer_file.told(given, f"max_new_tokens = {params.max_new_tokens}")
    answer_file.write(answers, given)
    return told


def _generated(weights: Path, rows: list[Row], params: Answering, settings: dict[str, Any]) -> list[Given]:
    n, sampling = 1, None
    if isinstance(params, Sampled):
        n = params.num_return_sequences
        seeds = [[f"{params.seed} {row.id} {number}" for number in range(n)] for row in rows]
        sampling = Sampling(params.temperature, params.top_k, params.top_p, seeds)
    length = params.max_new_tokens
    found = transformers.generate(weights, questions(rows), max_new_tokens=length, sampling=sampling, **settings)
    return [answer_file.of(row.id, found[at * n : (at + 1) * n]) for at, row in enumerate(rows)]


def _check_kinds(held_out: list[Row], rows: Path, suite: str, params: Answering) -> None:
    """Checks that there are rows, and that they are of a kind that is answered so.

    Raises:
        UserError: they are not.
    """
    if not held_out:
        raise UserError(f"{rows}: no rows: want held-out rows for suite {suite}; raise split.test_fraction or add rows")
    reads, kind = isinstance(params, Likelihood), type(params).__struct_config__.tag
    if other := next((row for row in held_out if (row.kind == "text") != reads), None):
        wanted = "texts" if reads else "questions with answers"
        raise UserError(f"{rows}: {other.id} is a {other.kind}: answer.{suite}.kind = {kind!r} wants {wanted}")


if __name__ == "__main__":
    harness.run(main)
