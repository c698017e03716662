"""Answers of a model behind an endpoint. The archive keeps each: no request is sent twice."""

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from modelmake.errors import UserError
from stages.augmenting import concurrent
from stages.augmenting.archive import Archive
from stages.augmenting.teacher import Declined, Teacher
from stages.evaluating.generated import Generated
from stages.params.alternatives import Asked
from stages.rows.row import Message


def generate(model: Path, conversations: list[dict[str, Any]], *, endpoint: Asked, archive: Path) -> list[Generated]:
    """The answer to each conversation ({messages, tools}), in order. One that is declined is empty, and is told.

    Args:
        model: not read: the model is the endpoint's.

    Raises:
        UserError: the endpoint fails, or declines all; or a conversation has tools.
    """
    if with_tools := sum(bool(conversation["tools"]) for conversation in conversations):
        raise UserError(f"{endpoint.base_url}: {with_tools} questions have tools: want none: endpoints are given none")
    teacher = Teacher(endpoint, Archive(archive), "alternatives", endpoint.api)
    declined: list[Declined] = []

    def ask(conversation: dict[str, Any]) -> Generated:
        messages = msgspec.convert(conversation["messages"], list[Message])
        try:
            said = teacher.said(teacher.request(messages, endpoint.seed))
        except Declined as reason:
            declined.append(reason)
            return Generated("", False, 0, 0)  # which costs nothing
        if said.held_back:
            declined.append(Declined("content_filter", "the endpoint held the answer back"))
        return Generated(said.text.strip(), said.cut, said.prompt_tokens, said.answer_tokens)

    answers = concurrent.run(ask, conversations, endpoint.parallel, [teacher], "endpoint", "rows")
    if len(declined) == len(conversations):
        raise UserError(f"{endpoint.base_url}: declined every request, the first by {declined[0].detail}; mend it")
    for reason, n in sorted(Counter(of_request.reason for of_request in declined).items()):
        print(f"  {n} requests declined: {reason}", flush=True)
    return answers
