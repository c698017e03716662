"""Answers of one model to one suite, with their scores: {id, prompt, expected, answer, scores}.

The prompt is the whole dialogue before the answer, as people read it; the answer is what the model wrote, calls and
reasoning in its own form. In a suite of texts `expected` is the text; prompt and answer are empty.
"""

from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from stages.answers import reply
from stages.evaluating import metrics
from stages.evaluating.text_likelihood import TextLikelihood
from stages.params.evaluation import Suite, TextSuite
from stages.rows import display, parts
from stages.rows.row import Row
from stages.rows.template_messages import template_messages


class Answer(msgspec.Struct, frozen=True):
    """A held-out row, a model's answer to it, and {metric: (numerator, denominator)}."""

    id: str
    prompt: str
    expected: str
    answer: str
    scores: dict[str, tuple[float, float]]


def questions(rows: list[Row]) -> list[dict[str, Any]]:
    """Each row without its answer, {messages, tools} for a chat template."""
    prompts = [parts.split(row.content) for row in rows]
    return [{"messages": template_messages(prompt.prompt), "tools": prompt.tools} for prompt in prompts]


def in_words(rows: list[Row]) -> dict[str, reply.Reply]:
    """{id: expected answer} of the rows that expect no calls."""
    splits = {row.id: parts.split(row.content) for row in rows}
    answers = {id: reply.of_turns(split.answer, split.tools) for id, split in splits.items()}
    return {id: answer for id, answer in answers.items() if not answer.calls}


def unusable(answers: dict[str, reply.Reply], suite: Suite) -> dict[str, list[str]]:
    """{metric: ids of the expected answers, in words, that lack what the metric compares}, if there are any."""
    found = {
        module.__name__.rpartition(".")[2]: [id for id, answer in answers.items() if not module.usable(answer, suite)]
        for module in metrics.modules(suite)
        if hasattr(module, "usable")
    }
    return {name: ids for name, ids in found.items() if ids}


def score(rows: list[Row], answers: list[str], suite: Suite) -> list[Answer]:
    """Scores an answer to each row by the metrics of the suite."""
    used = metrics.modules(suite)
    result = []
    for row, answer in zip(rows, answers, strict=True):
        split = parts.split(row.content)
        expected, given = reply.of_turns(split.answer, split.tools), reply.parse(answer, split.tools)
        shown = "\n\n".join(map(display.spoken, split.answer))
        scores = _scores(used, expected, given, suite)
        result.append(Answer(row.id, display.prompt_text(row.content), shown, answer, scores))
    return result


def score_texts(rows: list[Row], likelihoods: list[TextLikelihood], suite: TextSuite) -> list[Answer]:
    """Scores the likelihood of each text by the metrics of the suite."""
    used = metrics.modules(suite)
    return [
        Answer(row.id, "", parts.split(row.content).text, "", _scores(used, likelihood))
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
