"""What a judge is asked about answers, and the marks that it gives."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from modelmake.errors import UserError
from stages.augmenting import concurrent
from stages.augmenting.archive import Archive
from stages.augmenting.requests import Prompts
from stages.augmenting.teacher import Declined, Request, Teacher
from stages.evaluating.scoring import Answer
from stages.params.judging import SIDES, Judge, Pointwise, Rubric
from stages.rows.row import Message


class Marked(NamedTuple):
    """The marks of an answer by a rubric, in the order of the requests; equal answers of a pair have none."""

    marks: tuple[str, ...]
    problem: str  # why there is none; "": there is


def template(rubric: Rubric) -> str:
    """The name of the prompt that a rubric is asked by."""
    return f"{type(rubric).__struct_config__.tag}.txt"


def mark(
    own: Sequence[Answer], others: Sequence[Answer], params: Judge, prompts: Prompts, archive: Path, where: str
) -> dict[str, list[Marked]]:
    """{rubric: the marks of each answer}. No request that was answered is sent twice, whoever gave an answer.

    Args:
        others: answers to the same questions that pairs are made with.
        archive: folder of all that the judge ever said.
        where: the judge's place in params.yaml, for errors.

    Raises:
        UserError: more than `max_requests` would have to be sent, and none was; or the endpoint fails.
    """
    judge = Teacher(params, Archive(archive), where, params.api)
    wanted = {
        name: [
            [judge.request(turns, params.seed) for turns in questions(rubric, *pair, prompts)]
            for pair in zip(own, others, strict=True)
        ]
        for name, rubric in params.rubrics.items()
    }
    requests = {request.id: request for rows in wanted.values() for row in rows for request in row}
    _check_budget(sum(not judge.is_archived(request) for request in requests.values()), params, where)

    def ask(request: Request) -> str | Declined:
        try:
            return judge.answer(request)
        except Declined as reason:
            return reason

    answers = concurrent.run(ask, [*requests.values()], params.parallel, [judge], where, "requests")
    said = dict(zip(requests, answers, strict=True))
    return {
        name: [_marked(params.rubrics[name], [said[request.id] for request in row]) for row in rows]
        for name, rows in wanted.items()
    }


def questions(rubric: Rubric, own: Answer, other: Answer, prompts: Prompts) -> list[list[Message]]:
    """The requests about an answer: one, or of a pair one in each order, that in which the own answer is first first.

    Equal answers are not asked about.
    """
    values = {
        "question": own.prompt, "expected": own.expected, "criteria": rubric.criteria, "marks": ", ".join(rubric.marks),
    }  # fmt: skip
    if isinstance(rubric, Pointwise):
        ways = [{"answer": own.answer}]
    elif own.answer == other.answer:
        ways = []
    else:
        ways = [
            {"first": own.answer, "second": other.answer},
            {"first": other.answer, "second": own.answer},
        ]
    return [[Message("user", prompts.fill(template(rubric), values | way))] for way in ways]


def verdict(text: str, rubric: Rubric) -> str | None:
    """The last mark in a judge's text; None if there is none."""
    found = re.findall(rf"\bverdict\W*({'|'.join(map(re.escape, rubric.marks))})\b", text, re.IGNORECASE)
    return found[-1].lower() if found else None


def score(rubric: Rubric, marks: Sequence[str]) -> float:
    """The score of an answer, from 0 to 1, by the marks that it was given."""
    if isinstance(rubric, Pointwise):
        return rubric.marks.index(marks[0]) / (len(rubric.marks) - 1)
    places = firsts(marks)
    return (places[0] + 1 - places[1]) / 2 if places else 0.5


def firsts(marks: Sequence[str]) -> list[float]:
    """1 for each mark of a pair that prefers the answer in the first place, 0 for the second, 0.5 for neither."""
    return [1 - SIDES.index(mark) / 2 for mark in marks]


def _marked(rubric: Rubric, said: Sequence[str | Declined]) -> Marked:
    marks = []
    for answer in said:
        if isinstance(answer, Declined):
            return Marked((), answer.reason)
        if (found := verdict(answer, rubric)) is None:
            return Marked((), "no_verdict")
        marks.append(found)
    return Marked(tuple(marks), "")


def _check_budget(needed: int, params: Judge, where: str) -> None:
    if needed > params.max_requests:
        raise UserError(
            f"{where}.max_requests = {params.max_requests}: {needed} requests are not in the archive, and none was "
            "sent: want at least as many; raise it, or judge fewer rubrics or rows"
        )
