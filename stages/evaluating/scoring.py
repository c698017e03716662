"""Answers of one model to one suite, scored: {id, prompt, expected, answer, scores}.

Of a text, `expected` is the text; prompt and answer are empty.
"""

import importlib
from pathlib import Path
from typing import Any

import msgspec

from stages.evaluating.text_likelihood import Reading
from stages.params.evaluation import Suite, TextSuite
from stages.rows.row import Row


class Answer(msgspec.Struct, frozen=True):
    """One held-out row, a model's answer to it, and its scores as (numerator, denominator)."""

    id: str
    prompt: str
    expected: str
    answer: str
    scores: dict[str, tuple[float, float]]


def questions(found: list[Row]) -> list[list[dict[str, Any]]]:
    """Every chat without its last answer, as chat templates take it."""
    return [msgspec.to_builtins(row.content.messages[:-1]) for row in found]


def score(found: list[Row], generated: list[str], suite: Suite) -> list[Answer]:
    """Scores generated answers by the suite's metrics."""
    metrics = [importlib.import_module(f"stages.evaluating.metrics.{name}") for name in suite.metrics]
    result = []
    for row, answer in zip(found, generated, strict=True):
        *asked, last = row.content.messages
        scores: dict[str, tuple[float, float]] = {}
        for metric in metrics:
            scores |= metric.score(last.content, answer, suite)
        result.append(Answer(row.id, asked[-1].content, last.content, answer, scores))
    return result


def score_texts(found: list[Row], readings: list[Reading], suite: TextSuite) -> list[Answer]:
    """Scores what a model foresaw of texts by the suite's metrics."""
    metrics = [importlib.import_module(f"stages.evaluating.metrics.{name}") for name in suite.metrics]
    result = []
    for row, reading in zip(found, readings, strict=True):
        scores: dict[str, tuple[float, float]] = {}
        for metric in metrics:
            scores |= metric.score(reading)
        result.append(Answer(row.id, "", row.content.text, "", scores))
    return result


def totals(answers: list[Answer]) -> dict[str, float]:
    """{metric: sum of numerators over sum of denominators}; a metric with nothing to count is 0."""
    result = {}
    for name in answers[0].scores if answers else ():
        below = sum(a.scores[name][1] for a in answers)
        result[name] = round(sum(a.scores[name][0] for a in answers) / below, 6) if below else 0.0
    return result


def write(path: Path, answers: list[Answer]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(a) + b"\n" for a in answers))


def read(path: Path) -> list[Answer]:
    return [msgspec.json.decode(line, type=Answer) for line in path.read_bytes().splitlines()]
