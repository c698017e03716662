"""Requests as a server logs them, and what people thought of the answers: {"messages", "response", "rating", "edit"}.

`response` is a text, a message, or the whole answer of an OpenAI-compatible server. An edit is a better answer than the
response: the two are a pair, or, where the request has tools, the edit is a chat. Else the rating says: good or bad.
"""

from collections.abc import Set
from typing import Any

from stages.reading.formats import turns
from stages.reading.ratings import ALONE, Judged, Unused
from stages.rows.row import Chat, Content, Message, Pair

UP = ("1", "true", "up", "thumb_up", "thumbs_up", "like", "good", "positive", "👍")
DOWN = ("-1", "0", "false", "down", "thumb_down", "thumbs_down", "dislike", "bad", "negative", "👎")
RATINGS = dict.fromkeys(UP, True) | dict.fromkeys(DOWN, False)


def matches(fields: Set[str]) -> bool:
    return fields >= {"messages", "response"}


def read(record: dict[str, Any]) -> Content | Judged:
    prompt, tools = turns.messages(record["messages"], "user"), turns.tools(record)
    response, edit = _answer(record["response"]), record.get("edit")
    better = None if edit is None or edit == "" else _answer(edit)
    if better and better != response:
        return Chat([*prompt, better], tools) if tools else Pair(prompt, [better], [response])
    good = True if better else _good(record.get("rating"))
    if not tools:
        return Judged(prompt, [response], good)
    if not good:
        raise Unused(ALONE[0], "judged bad, with tools: pairs have none")
    return Chat([*prompt, response], tools)


def _good(rating: Any) -> bool:
    if rating is None or rating == "":
        raise Unused("unrated", "neither rated nor edited")
    word = str(int(rating) if isinstance(rating, float) else rating).strip().lower().replace(" ", "_")
    if word not in RATINGS:
        raise ValueError(f"rating {rating!r}: want one of {', '.join(RATINGS)}, or null")
    return RATINGS[word]


def _answer(value: Any) -> Message:
    """The one turn of the assistant."""
    if isinstance(value, dict) and "choices" in value:
        value = [choice["message"] for choice in value["choices"]]
    found = [turns.message(value)] if isinstance(value, dict) else turns.messages(value, "assistant")
    if len(found) != 1:
        raise ValueError(f"{len(found)} answers: want the one that was shown")
    return found[0]
