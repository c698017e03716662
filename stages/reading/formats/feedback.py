"""Logged requests with their feedback: {"messages", "response"}, with an optional "rating", "edit" and "tools".

`response` is a text, a message, or the whole answer of an OpenAI-compatible server. An edit is a better answer than the
response: the two become a pair, or, with tools, the edit becomes a chat. Without an edit the rating decides whether the
response is a good or a bad answer.
"""

from collections.abc import Set
from typing import Any

from stages.reading import message_parsing as parsing
from stages.reading.ratings import BAD_ALONE, RatedAnswer
from stages.reading.rejection import RejectedRecord
from stages.rows.row import Chat, Content, Message, Pair

UP = ("1", "true", "up", "thumb_up", "thumbs_up", "like", "good", "positive", "👍")
DOWN = ("-1", "0", "false", "down", "thumb_down", "thumbs_down", "dislike", "bad", "negative", "👎")
RATINGS = dict.fromkeys(UP, True) | dict.fromkeys(DOWN, False)


def matches(fields: Set[str]) -> bool:
    return fields >= {"messages", "response"}


def read(record: dict[str, Any]) -> Content | RatedAnswer:
    """Also raises RejectedRecord where there is neither a rating nor an edit, and for a bad answer with tools."""
    prompt, tools = parsing.messages(record["messages"], "user"), parsing.tools(record)
    response, edit = _answer(record["response"]), record.get("edit")
    better = None if edit is None or edit == "" else _answer(edit)
    if better and better != response:
        return Chat([*prompt, better], tools) if tools else Pair(prompt, [better], [response])
    good = True if better else _is_good(record.get("rating"))  # an edit that changes nothing approves the response
    if not tools:
        return RatedAnswer(prompt, [response], good)
    if not good:
        raise RejectedRecord(BAD_ALONE[0], "judged bad, with tools: pairs have none")
    return Chat([*prompt, response], tools)


def _is_good(rating: Any) -> bool:
    if rating is None or rating == "":
        raise RejectedRecord("unrated", "neither rated nor edited")
    word = str(int(rating) if isinstance(rating, float) else rating).strip().lower().replace(" ", "_")
    if word not in RATINGS:
        raise ValueError(f"rating {rating!r}: want one of {', '.join(RATINGS)}, or null")
    return RATINGS[word]


def _answer(value: Any) -> Message:
    """The only turn of an answer."""
    if isinstance(value, dict) and "choices" in value:
        value = [choice["message"] for choice in value["choices"]]
    answers = [parsing.message(value)] if isinstance(value, dict) else parsing.messages(value, "assistant")
    if len(answers) != 1:
        raise ValueError(f"{len(answers)} answers: want the one that was shown")
    return answers[0]
