"""Examines where a model is worse than another: by slices of a suite, and row by row beside the nearest training rows.

Inputs:  answers  JSONL, scored answers of the model, as `evaluate` wrote them
         others   JSONL, those of the model that it is held against
         scores   JSON of the model, as `evaluate` wrote it
         rows     JSONL canonical rows of the suite
         grouped  JSONL canonical rows with their groups, as `dedup` wrote them
         mixed    folder of the rows that training sees
         sources  Parquet {id, file, line}: raw lines of the ingested rows
         parents  Parquet {id, parent, rules}: earlier forms of the cleaned rows
Outputs: slices       JSON {model, against, suite, metric, confidence, rows, looks, by_chance, regressions,
                      improvements, shown, slices: [{by, value, metric, rows, groups, score, low, high, against,
                      difference, difference_low, difference_high, verdict}], left_out: {by: {small, rows, without}},
                      training_rows: [{id, regressions, places}]}. looks: differences in `slices`; by_chance: how many
                      of them would lie outside of 0 by chance; verdict: worse or better if that is shown for all looks
                      together, else ""; small: slices of fewer than min_rows; without: rows in no slice; regressions:
                      rows of which the model lost some of the metric; training_rows: those beside the ones shown
         regressions  JSONL {id, places, lost, prompt, expected, answer, against, slices: {by: value}, nearest: [{id,
                      places, similarity, prompt, answer, rejected}]}, those that lost most first; places: file:line of
                      raw data; rejected: of pairs
         mend         JSONL of the training rows beside them, in formats that `ingest` reads, those beside most first
Params:  examine.<examined>, suites.<suite>, dedup

`dedup.near` has the shingles and permutations by which questions are compared.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.cleaning import language
from stages.evaluating import scoring, slices
from stages.evaluating.scoring import Answer
from stages.params.data import Dedup
from stages.params.evaluation import AnySuite, TextSuite
from stages.params.examination import Examination
from stages.rows import accounting, display, jsonl, provenance, raw_record
from stages.rows.mapped_rows import ConcatenatedRows, MappedRows
from stages.rows.row import Row
from stages.similarity.nearest import Neighbour, nearest

MIN_LETTERS, MIN_PROBABILITY = 20, 0.9  # of a row whose language counts as known
TRAINED = {"text": ("text",), "chat": ("chat", "pair", "judged")}  # {rows of a suite: kinds of rows that teach such}


class Inputs(NamedTuple):
    answers: In
    others: In
    scores: In
    rows: In
    grouped: In
    mixed: In
    sources: In
    parents: In


class Outputs(NamedTuple):
    slices: Out
    regressions: Out
    mend: Out


def languages(rows: Sequence[Row]) -> Iterator[tuple[str, tuple[str]]]:
    """(id, its language as ISO 639-1) of the rows of which it is known."""
    for row in rows:
        text = language.prose(row.content)
        if sum(map(str.isalpha, text)) >= MIN_LETTERS:
            code, probability = language.identifier().classify(text)
            if probability >= MIN_PROBABILITY:
                yield row.id, (code,)


def worst(lost: Any, ids: Sequence[str], count: int) -> list[int]:
    """The indices of the rows that lost most, at most `count`; ids decide between equal ones, and are as good as a
    random draw, as they are hashes.
    """
    return sorted((index for index, of_row in enumerate(lost) if of_row > 0), key=lambda i: (-lost[i], ids[i]))[:count]


def training_rows(mixed: Path, kinds: Sequence[str]) -> tuple[Sequence[Row], list[int]]:
    """(all rows of these kinds, the index of the first of each id)."""
    rows: Sequence[Row] = []
    for kind in kinds:
        rows = ConcatenatedRows(rows, MappedRows(mixed / f"{kind}.jsonl"))
    first: dict[str, int] = {}
    for index, row in enumerate(rows):
        first.setdefault(row.id, index)
    return rows, [*first.values()]


def _read(inputs: Inputs) -> tuple[list[Answer], list[Answer], list[Row]]:
    """The answers of both models, and the rows.

    Raises:
        UserError: these are of other rows.
    """
    rows, found = jsonl.read(inputs.rows), []
    for file in (inputs.answers, inputs.others):
        found.append(scoring.read(file))
        if [row.id for row in rows] != [answer.id for answer in found[-1]]:
            raise UserError(f"{file}: ids differ from those of {inputs.rows}: want answers to these; run `dvc repro`")
    return found[0], found[1], rows


def main(
    inputs: Inputs, outputs: Outputs, examined: str, suite: str, params: Examination, suite_params: AnySuite,
    dedup: Dedup,
) -> str:  # fmt: skip
    model, other, rows = _read(inputs)
    ids = [row.id for row in rows]
    declared = msgspec.json.decode(inputs.scores.read_bytes())["declared"]
    is_text = isinstance(suite_params, TextSuite)
    wanted = set(ids)
    by = {
        "label": slices.labels(model, suite_params.label) if not is_text and suite_params.label else {},
        "length": slices.lengths(model),
        "language": dict(languages(rows)),
        "source": provenance.source_files(ids, inputs.sources, inputs.parents),
        "group": {r.id: (r.group,) for r in MappedRows(inputs.grouped) if r.group and r.id in wanted},
    }
    parts, left_out = slices.cut(ids, by, params.min_rows)
    table = slices.table(parts, model, other, declared, params.confidence)
    lost = slices.losses(params.metric, declared[params.metric]["better"], model, other)
    shown = worst(lost, ids, params.regressions)
    trained, distinct = training_rows(inputs.mixed, TRAINED["text" if is_text else "chat"])
    beside = nearest(trained, distinct, [rows[index] for index in shown], dedup.near, params.nearest)
    near = {neighbour.index: trained[neighbour.index] for of_row in beside for neighbour in of_row}
    places = provenance.places({*(ids[i] for i in shown), *(row.id for row in near.values())}, *inputs[-2:])

    def neighbour(found: Neighbour) -> dict[str, Any]:
        row = near[found.index]
        rejected = display.answer_text(row.content, rejected=True) if row.kind == "pair" else None
        return {
            "id": row.id, "places": places[row.id], "similarity": found.similarity,
            "prompt": display.prompt_text(row.content), "answer": display.answer_text(row.content),
        } | ({"rejected": rejected} if rejected else {})  # fmt: skip

    regressions = [
        {
            "id": ids[index], "places": places[ids[index]], "lost": round(float(lost[index]), 6),
            "prompt": model[index].prompt, "expected": model[index].expected,
            "answer": model[index].answer, "against": other[index].answer,
            "slices": {name: ", ".join(values[ids[index]]) for name, values in by.items() if values.get(ids[index])},
            "nearest": [neighbour(found) for found in of_row],
        }
        for index, of_row in zip(shown, beside, strict=True)
    ]  # fmt: skip
    counts = Counter(neighbour.index for of_row in beside for neighbour in of_row)
    order = sorted(counts, key=lambda index: (-counts[index], near[index].id))
    accounting.write_json(outputs.slices, {
        **{name: getattr(params, name) for name in ("model", "against", "suite", "metric", "confidence")},
        "rows": len(ids), "looks": len(table), "by_chance": round(len(table) * (1 - params.confidence), 1),
        "regressions": int((lost > 0).sum()), "improvements": int((lost < 0).sum()), "shown": len(shown),
        "slices": table, "left_out": left_out,
        "training_rows": [{"id": near[index].id, "regressions": counts[index], "places": places[near[index].id]}
                          for index in order],
    })  # fmt: skip
    outputs.regressions.write_bytes(_lines(regressions))
    outputs.mend.write_bytes(_lines([raw_record.of_content(near[index].content) for index in order]))
    worse = [entry for entry in table if entry["verdict"] == "worse"]
    return (
        f"{params.model} lost {params.metric} on {(lost > 0).sum()} rows and won it on {(lost < 0).sum()}; worse in "
        f"{len(worse)} of {len(table)} scores of slices, all looks together; {len(shown)} rows beside {len(order)} "
        "training rows"
    )


def _lines(records: Sequence[Any]) -> bytes:
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


if __name__ == "__main__":
    harness.run(main)
