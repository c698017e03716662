"""Asks a judge, a language model behind an endpoint, for marks of what one model answered to one suite.

Inputs:  rows          JSONL canonical rows of the suite
         answers       JSONL of the model, as `answer` wrote them
         baseline      the same of compare.baseline, with whose answers pairs are made
         calibrations  folder of <suite>.<rubric>.json, as `modelmake judge calibrate` writes them; may be empty
         templates     folder of prompts: text with {placeholders}
Outputs: judged        JSONL {id, marks: {rubric: [mark, …]}, scores: {metric: statistics}}, in the order of the rows
         scores        JSON {rows, answers, metrics: {metric: value}, declared: {metric: {better, least, most, source}},
                       rubrics: {rubric: {binding, calibration, marked, unjudged: {reason: n}}}}: the hash of what
                       was judged; what people's marks were counted, and how many; why answers have no mark
Params:  evaluate.judge.<suite>

Metrics are judged.<rubric>, the judge alone, and judged_corrected.<rubric>, where people marked answers of the model.
The archive keeps every answer under the hash of its request: no request that was answered is sent twice, whatever else
changes. One that the endpoint refused is sent again by the next run.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import Archive, In, Out
from stages.augmenting.requests import Prompts
from stages.evaluating import answer_file, scoring
from stages.evaluating.judging import asking, calibration, corrected, people, published
from stages.evaluating.judging.asking import Marked
from stages.evaluating.judging.calibration import Calibration
from stages.evaluating.judging.published import JudgedRow
from stages.evaluating.scoring import Answer
from stages.params.judging import Judge, Pairwise, Rubric
from stages.rows import accounting, jsonl
from stages.rows.row import Row

TOLD = 10  # answers without a mark that an error names


class Counted(NamedTuple):
    """People's scores of rows that count as a random sample of a model's answers."""

    state: str  # of the calibration
    shown: int  # answers, or pairs
    scores: dict[int, float]  # {row: score}


def spoken(rows: Sequence[Row], path: Path) -> list[Answer]:
    """The answers in a file to these rows, as people read them.

    Raises:
        UserError: they are answers to other rows.
    """
    given = answer_file.read(path)
    if [row.id for row in rows] != [of_row.id for of_row in given]:
        raise UserError(f"{path}: ids differ from those of the rows: want answers to the same rows; run `dvc repro`")
    return [
        Answer(row.id, scoring.expected_reply(row.content).prompt, scoring.shown(row), of_row.answers[0], {})
        for row, of_row in zip(rows, given, strict=True)
    ]


def counted(
    rubric: Rubric, found: Calibration | None, now: calibration.Binding, model: str, own: list[Answer],
    others: list[Answer],
) -> Counted:  # fmt: skip
    """People's scores of a model's answers, if they were given for this judge, prompt and rubric."""
    if found is None:
        return Counted("none", 0, {})
    if changed := found.changed(now):
        return Counted(f"stale: another {' and '.join(changed)}", 0, {})
    marks = found.marks.get(model, {})
    items = people.counted(people.shown(rubric, own, others, found.seed), marks)
    scores = {row: people.score(rubric, marks[item.id], item) for item in items for row in item.rows}
    return Counted("fresh", len(items), scores)


def statistics(
    rubric: Rubric, marked: Sequence[Marked], people_scores: dict[int, float], open: Sequence[bool]
) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    """The numbers of each row: of the judge's score alone, and of the corrected one. 0 where nobody marked anything.

    Args:
        open: whether the answer to the row can be judged otherwise.
    """
    result: list[tuple[tuple[float, ...], tuple[float, ...]]] = []
    for row, found in enumerate(marked):
        if found.problem:
            result.append(((0.0, 0.0), corrected.UNCOUNTED))
            continue
        score = asking.score(rubric, found.marks)
        of_people = corrected.statistics(score, people_scores.get(row), open[row])
        result.append(((score, 1.0), of_people if people_scores else corrected.UNCOUNTED))
    return result


def main(
    rows: In, answers: In, baseline: In, calibrations: In, templates: In, judged: Out, scores: Out, archive: Archive,
    model: str, suite: str, params: Judge,
) -> str:  # fmt: skip
    held_out, prompts, where = jsonl.read(rows), Prompts(templates), f"evaluate.judge.{suite}"
    own, others = spoken(held_out, answers), spoken(held_out, baseline)
    marked = asking.mark(own, others, params, prompts, archive, where)
    _check_unjudged(marked, own, params, where)
    numbers: dict[str, list[tuple[float, ...]]] = {}
    told: dict[str, Any] = {}
    for name, rubric in params.rubrics.items():
        now = calibration.binding(params, name, prompts)
        kept = calibration.read(calibration.path(calibrations, suite, name))
        found = counted(rubric, kept, now, model, own, others)
        open = [not isinstance(rubric, Pairwise) or a.answer != b.answer for a, b in zip(own, others, strict=True)]
        of_rows = statistics(rubric, marked[name], found.scores, open)
        numbers[f"{published.ALONE}.{name}"] = [alone for alone, _ in of_rows]
        numbers[f"{corrected.NAME}.{name}"] = [both for _, both in of_rows]
        unjudged = Counter(of_row.problem for of_row in marked[name] if of_row.problem)
        told[name] = {"binding": now, "calibration": found.state, "marked": found.shown, "unjudged": unjudged}
    result = [
        JudgedRow(
            answer.id,
            {name: list(of_rows[i].marks) for name, of_rows in marked.items() if not of_rows[i].problem},
            {name: of_rows[i] for name, of_rows in numbers.items()},
        )
        for i, answer in enumerate(own)
    ]
    published.write(judged, result)
    values = scoring.totals([Answer(row.id, "", "", "", row.scores) for row in result])
    declared = {name: metric._asdict() for name, metric in published.declared(params).items()}
    accounting.write_json(
        scores,
        {
            "rows": len(result), "answers": calibration.of_answers(own, others), "metrics": values,
            "declared": declared, "rubrics": told,
        },
    )  # fmt: skip
    return f"{len(result)} rows: {'; '.join(_in_words(name, told[name], values) for name in params.rubrics)}"


def _check_unjudged(marked: dict[str, list[Marked]], own: list[Answer], params: Judge, where: str) -> None:
    """Raises a UserError if a rubric has too many answers without a mark."""
    problems = []
    for name, of_rows in marked.items():
        reasons = Counter(found.problem for found in of_rows if found.problem)
        if reasons.total() > params.max_unjudged_fraction * len(of_rows):
            ids = [answer.id for answer, found in zip(own, of_rows, strict=True) if found.problem]
            problems.append(
                f"{where}.max_unjudged_fraction = {params.max_unjudged_fraction:g}: {reasons.total()} of "
                f"{len(of_rows)} answers have no mark by {name} "
                f"({', '.join(f'{reason} {n}' for reason, n in reasons.most_common())}): {', '.join(ids[:TOLD])}: want "
                "a judge that answers as the prompt asks, or room in max_tokens"
            )
    if problems:
        raise UserError("\n".join(problems))


def _in_words(rubric: str, told: dict[str, Any], values: dict[str, float]) -> str:
    alone, by_people = f"{published.ALONE}.{rubric}", f"{corrected.NAME}.{rubric}"
    words = [f"{rubric} {values[alone]:.3f}" if alone in values else f"{rubric} without any mark"]
    if by_people in values:
        words.append(f"corrected {values[by_people]:.3f} by people's marks of {told['marked']}")
    if told["unjudged"]:
        words.append(f"{told['unjudged'].total()} without a mark")
    return ", ".join([*words, f"calibration {told['calibration']}"])


if __name__ == "__main__":
    harness.run(main)
