"""Answers of one model to one suite, with their scores: {id, prompt, expected, answer, scores}.

The prompt is the whole dialogue before the answer, as people read it; the answer is what the model wrote, calls and
reasoning in its own form. In a suite of texts `expected` is the text; prompt and answer are empty.
"""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from stages.answers import reply
from stages.evaluating import metrics, resampling
from stages.evaluating.text_likelihood import TextLikelihood
from stages.params.evaluation import AnySuite, Suite, TextSuite
from stages.rows import display, parts
from stages.rows.row import Content, Row


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A held-out row, a model's answer to it, and {metric: statistics}, whose sums give a metric (`metrics.value`)."""

    id: str
    prompt: str
    expected: str
    answer: str
    scores: dict[str, metrics.Statistics]
    told: dict[str, list[str]] = {}  # {metric: what came of each sample}, of those that tell

    @property
    def group(self) -> str:
        """Rows of one group are one observation: they have the same prompt."""
        return self.prompt or self.id


def in_words(rows: list[Row]) -> dict[str, reply.Reply]:
    """{id: expected answer} of the rows that expect no calls."""
    splits = {row.id: parts.split(row.content) for row in rows}
    answers = {id: reply.of_turns(split.answer, split.tools) for id, split in splits.items()}
    return {id: answer for id, answer in answers.items() if not answer.calls}


def unusable(answers: dict[str, reply.Reply], suite: Suite) -> dict[str, list[str]]:
    """{metric: ids of the expected answers, in words, that lack what the metric compares}, if there are any."""
    found = {
        name: [id for id, answer in answers.items() if not usable(answer, suite)]
        for name, usable in metrics.of_modules(suite, "usable").items()
    }
    return {name: ids for name, ids in found.items() if ids}


def prepare(rows: list[Row], samples: list[list[str]], suite: Suite, folder: Path) -> None:
    """Does what takes some metrics long, of all samples of answers; `folder` holds what a killed run had done."""
    if preparing := metrics.of_modules(suite, "prepare"):
        expected = [expected_reply(row.content) for row in rows]
        pairs = [
            (wanted, reply.parse(answer, wanted.tools))
            for answers in samples for wanted, answer in zip(expected, answers, strict=True)
        ]  # fmt: skip
        for name, of_metric in preparing.items():
            of_metric(pairs, folder / f"{name}.jsonl")


def score(rows: list[Row], answers: list[str], suite: Suite) -> list[Answer]:
    """Scores an answer to each row by the metrics of the suite."""
    expected = [expected_reply(row.content) for row in rows]
    given = [reply.parse(answer, wanted.tools) for answer, wanted in zip(answers, expected, strict=True)]
    scores = _scores(suite, [(*pair, suite) for pair in zip(expected, given, strict=True)])
    told = _told(suite, expected, given)
    return [
        Answer(row.id, wanted.prompt, shown(row), answer, of_row, told_of_row)
        for row, wanted, answer, of_row, told_of_row in zip(rows, expected, answers, scores, told, strict=True)
    ]


def score_texts(rows: list[Row], likelihoods: list[TextLikelihood], suite: TextSuite) -> list[Answer]:
    """Scores the likelihood of each text by the metrics of the suite."""
    scores = _scores(suite, [(likelihood,) for likelihood in likelihoods])
    return [
        Answer(row.id, "", parts.split(row.content).text, "", of_row) for row, of_row in zip(rows, scores, strict=True)
    ]


def expected_reply(content: Content) -> reply.Reply:
    """The answer of a row, with the dialogue before it."""
    split = parts.split(content)
    return reply.of_turns(split.answer, split.tools)._replace(prompt=display.prompt_text(content))


def shown(row: Row) -> str:
    """The expected answer of a row, as people read it."""
    return "\n\n".join(map(display.spoken, parts.split(row.content).answer))


def _scores(suite: AnySuite, measured: list[tuple[Any, ...]]) -> list[dict[str, metrics.Statistics]]:
    result: list[dict[str, metrics.Statistics]] = [{} for _ in measured]
    for module in metrics.modules(suite):
        for of_row, scores in zip(result, metrics.score_rows(module, measured), strict=True):
            of_row.update(scores)
    return result


def _told(suite: Suite, expected: list[reply.Reply], given: list[reply.Reply]) -> list[dict[str, list[str]]]:
    telling = metrics.of_modules(suite, "told")
    return [{name: [tell(*pair)] for name, tell in telling.items()} for pair in zip(expected, given, strict=True)]


def outcomes(answers: list[Answer]) -> dict[str, dict[str, int]]:
    """{metric: {outcome: samples}} of the metrics that tell, most first."""
    names = answers[0].told if answers else ()
    counts = {name: Counter(t.partition(":")[0] for a in answers for t in a.told[name]) for name in names}
    return {name: dict(counted.most_common()) for name, counted in counts.items()}


def statistics(answers: list[Answer]) -> dict[str, np.ndarray]:
    """{metric: (rows, k) statistics}."""
    names = answers[0].scores if answers else ()
    return {name: metrics.table([answer.scores[name] for answer in answers]) for name in names}


def totals(answers: list[Answer]) -> dict[str, float]:
    """{metric: its value over all rows} of the metrics that any row counts for."""
    found = {name: rows for name, rows in statistics(answers).items() if has_value(name, rows)}
    return {name: round(float(metrics.value(name, rows.sum(axis=0))), 6) for name, rows in found.items()}


def has_value(metric: str, rows: np.ndarray) -> bool:
    """Whether (rows, k) statistics say anything of a metric."""
    return bool(metrics.has_value(metric, rows.sum(axis=0)))


class Paired(NamedTuple):
    """Models on the rows that count for a metric in any of them, row by row."""

    sums: list[np.ndarray]  # (groups, k) of each model
    sizes: np.ndarray  # (groups,) rows


def paired(metric: str, answers: list[list[Answer]]) -> Paired | None:
    """What the answers of models to the same rows say of a metric, by groups; None where no row counts of a model: it
    would have 0, as the worst have, or the best.
    """
    statistics = [metrics.table([answer.scores[metric] for answer in of_model]) for of_model in answers]
    if not all(has_value(metric, rows) for rows in statistics):
        return None
    counted = np.any([rows.any(axis=1) for rows in statistics], axis=0)
    groups = [answer.group for answer, counts in zip(answers[0], counted, strict=True) if counts]
    sums = [resampling.grouped(rows[counted], groups) for rows in statistics]
    return Paired(sums, np.bincount(resampling.numbered(groups)))


def write(path: Path, answers: list[Answer]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(a) + b"\n" for a in answers))


def read(path: Path) -> list[Answer]:
    return [msgspec.json.decode(line, type=Answer) for line in path.read_bytes().splitlines()]
