"""Answers of one model to one suite, with their scores: {id, prompt, expected, answer, scores}.

In a suite of texts `expected` is the text; prompt and answer are empty.
"""

from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from stages.evaluating import metrics
from stages.evaluating.text_likelihood import TextLikelihood
from stages.params.evaluation import Suite, TextSuite
from stages.rows.row import Row


class Answer(msgspec.Struct, frozen=True):
    """A held-out row, a model's answer to it, and {metric: (numerator, denominator)}."""

    id: str
    prompt: str
    expected: str
    answer: str
    scores: dict[str, tuple[float, float]]


def questions(rows: list[Row]) -> list[list[dict[str, Any]]]:
    """Each chat without its last answer, as messages for a chat template."""
    return [msgspec.to_builtins(row.content.messages[:-1]) for row in rows]


def score(rows: list[Row], answers: list[str], suite: Suite) -> list[Answer]:
    """Scores an answer to each chat by the metrics of the suite."""
    used = metrics.modules(suite)
    result = []
    for row, answer in zip(rows, answers, strict=True):
        *_, question, expected = row.content.messages
        scores = _scores(used, expected.content, answer, suite)
        result.append(Answer(row.id, question.content, expected.content, answer, scores))
    return result


def score_texts(rows: list[Row], likelihoods: list[TextLikelihood], suite: TextSuite) -> list[Answer]:
    """Scores the likelihood of each text by the metrics of the suite."""
    used = metrics.modules(suite)
    return [
        Answer(row.id, "", row.content.text, "", _scores(used, likelihood))
        for row, likelihood in zip(rows, likelihoods, strict=True)
    ]


def _scores(used: list[ModuleType], *measured: Any) -> dict[str, tuple[float, float]]:
    scores: dict[str, tuple[float, float]] = {}
    for metric in used:
        scores |= metric.score(*measured)
    return scores


def totals(answers: list[Answer]) -> dict[str, float]:
    """{metric: sum of numerators / sum of denominators}; 0 where the denominators sum to 0."""
    result = {}
    for name in answers[0].scores if answers else ():
        denominator = sum(a.scores[name][1] for a in answers)
        result[name] = round(sum(a.scores[name][0] for a in answers) / denominator, 6) if denominator else 0.0
    return result


def write(path: Path, answers: list[Answer]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(a) + b"\n" for a in answers))


def read(path: Path) -> list[Answer]:
    return [msgspec.json.decode(line, type=Answer) for line in path.read_bytes().splitlines()]
