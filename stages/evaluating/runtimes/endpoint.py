"""Answers of a model behind an endpoint. The archive keeps each: no request that was answered is sent twice."""

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
    """The answer to each conversation ({messages, tools}), in order. One that is declined says why.

    Args:
        model: not read: the model is the endpoint's.

    Raises:
        UserError: the endpoint fails, or declines all; or a conversation has tools.
    """
    if with_tools := sum(bool(conversation["tools"]) for conversation in conversations):
        raise UserError(f"{endpoint.base_url}: {with_tools} questions have tools: want none: endpoints are given none")
    teacher = Teacher(endpoint, Archive(archive), "alternatives", endpoint.api)
    details: list[str] = []  # of refusals
    if thinking := sum(any("reasoning_content" in turn for turn in of["messages"]) for of in conversations):
        print(f"  {thinking} questions are asked without the reasoning_content of their turns", flush=True)

    def ask(conversation: dict[str, Any]) -> Generated:
        messages = msgspec.convert(conversation["messages"], list[Message])
        # Thoughts are no field of chat completions: strict endpoints would refuse them.
        messages = [msgspec.structs.replace(turn, reasoning_content="") for turn in messages]
        try:
            said = teacher.said(teacher.request(messages, endpoint.seed))
        except Declined as refused:
            details.append(refused.detail)
            return Generated("", False, 0, 0, refused.reason)
        declined = "content_filter" if said.held_back else ""
        return Generated(said.text.strip(), said.cut, said.prompt_tokens, said.answer_tokens, declined)

    answers = concurrent.run(ask, conversations, endpoint.parallel, [teacher], "endpoint", "rows")
    if all(answer.declined for answer in answers):
        first = details[0] if details else "holding the answer back"
        raise UserError(f"{endpoint.base_url}: declined every request, the first by {first}; mend it")
    return answers
