"""Answers the held-out rows of compare.suite without a fine-tune: by instructions, by examples of train, bound by a
schema, or at an endpoint. Nothing is scored.

Inputs:  weights   model folder, or folder of a quantized file; any file if an endpoint answers
         examples  JSONL canonical rows to choose examples from; any file if none are shown
         rows      JSONL canonical rows of the suite
Outputs: answers   JSONL {id, answers: [text], tokens}, and {cut: 1} of one that is cut, {declined: reason} of one that
                   an endpoint declined; in the order of the rows
         asked     JSON {examples: [ids that were shown], empty: answers without text; of examples held_out: those
                   that are never shown, as they are rows or ask what rows ask; of answer_schema broken: answers that
                   it does not allow though they were bound by it; of an endpoint declined: {reason: requests that
                   it did not answer}}
Params:  alternatives.<alternative>, answer.<suite>, machine

The archive keeps every response of an endpoint under the hash of its request.
"""

import importlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import Archive, Checkpoints, In, Out
from stages.answers import json_answer
from stages.evaluating import answer_file, shots
from stages.params.alternatives import Alternative, ByEndpoint
from stages.params.answering import Greedy
from stages.params.machine import Machine
from stages.rows import accounting, jsonl

TOLD = {"empty": "empty", "broken": "broken", "held_out": "examples not shown: they are held out"}


def broken(answers: Sequence[str], schema: dict[str, Any]) -> int:
    """How many answers a schema does not allow: runtimes leave parts of it out."""
    import jsonschema

    validator = jsonschema.Draft202012Validator(schema)
    values = [json_answer.parse(answer) for answer in answers]
    return sum(value is None or not validator.is_valid(value) for value in values)


def main(
    weights: In, examples: In, rows: In, answers: Out, asked: Out, checkpoints: Checkpoints, archive: Archive,
    alternative: str, suite: str, params: Alternative, answering: Greedy, machine: Machine,
) -> str:  # fmt: skip
    held_out = jsonl.read(rows)
    if not held_out:
        raise UserError(f"{rows}: no rows: want held-out rows for suite {suite}; raise split.test_fraction or add rows")
    questions = shots.asked(held_out, examples, params)
    runtime = importlib.import_module(params.modules()[0])
    kept = {"archive": archive} if isinstance(params, ByEndpoint) else {"checkpoint": checkpoints / "batches.jsonl"}
    settings = {**params.settings(answering, machine), **kept}
    found = runtime.generate(weights / params.FILE, questions.conversations, **settings)
    given = [answer_file.of(row.id, [answer]) for row, answer in zip(held_out, found, strict=True)]
    texts = [answer.text for answer in found]
    shown = sorted({id for of_row in questions.shown for id in of_row})
    counts = {"empty": sum(not text.strip() for text in texts)}
    if params.shots:
        counts["held_out"] = questions.held_out
    if params.answer_schema:
        counts["broken"] = broken(texts, params.answer_schema)
    answer_file.write(answers, given)
    declined = dict(sorted(Counter(answer.declined for answer in found if answer.declined).items()))
    of_endpoint = {"declined": declined} if isinstance(params, ByEndpoint) else {}
    accounting.write_json(asked, {"examples": shown, **counts, **of_endpoint})
    told = "".join(f"; {n} {TOLD[what]}" for what, n in counts.items() if n)
    told += "".join(f"; {n} declined: {reason}" for reason, n in declined.items())
    return f"{answer_file.told(given, params.limit(answering))}; {len(shown)} examples shown{told}"


if __name__ == "__main__":
    harness.run(main)
