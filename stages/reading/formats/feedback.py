"""Logged requests with their feedback: {"messages", "response"}, with an optional "rating", "edit" and "tools".

`response` is a text, a message, or the whole answer of an OpenAI-compatible server. An edit is a better answer than the
response: the two become a pair. Without an edit the rating decides whether the response is a good or a bad answer.
"""

from collections.abc import Set
from typing import Any

from stages.reading import conversation, ratings, tool_schemas
from stages.reading import message_parsing as parsing
from stages.reading.rejection import RejectedRecord
from stages.reading.unread import WHOLE, empty
from stages.rows.row import Content, Judged, Message, Pair


def _response_fields(response: dict[str, Any]) -> dict[str, Any]:
    return {"choices": {"message": parsing.turn_fields}} if "choices" in response else parsing.turn_fields(response)


FIELDS: dict[str, Any] = {
    "messages": parsing.turn_fields,
    "response": _response_fields,
    "edit": parsing.turn_fields,
    **dict.fromkeys(ratings.FIELDS, WHOLE),
    **conversation.SETTING,
}


def matches(fields: Set[str]) -> bool:
    return fields >= {"messages", "response"}


def read(record: dict[str, Any]) -> Content:
    """Also raises RejectedRecord where there is neither a rating nor an edit."""
    prompt = conversation.with_system(record, parsing.messages(record["messages"], "user"))
    tools, response, edit = tool_schemas.tools(record), _answer(record["response"]), record.get("edit")
    better, good = None if empty(edit) else _answer(edit), ratings.rating(record)
    if better and better != response:
        return Pair(prompt, [better], [response], tools)
    if good is None and not better:
        raise RejectedRecord("unrated", "neither rated nor edited")
    if better and good is False:
        raise ValueError("judged bad, and the edit changes nothing: want one of them")
    return Judged(prompt, [response], bool(better or good), tools)  # an edit that changes nothing approves the response


def _answer(value: Any) -> Message:
    """The only turn of an answer."""
    if isinstance(value, dict) and "choices" in value:
        value = [choice["message"] for choice in value["choices"]]
    answers = parsing.messages([value] if isinstance(value, dict) else value, "assistant")
    if len(answers) != 1:
        raise ValueError(f"{len(answers)} answers: want the one that was shown")
    return answers[0]
