"""What a record says beside a conversation, the same in every format: system prompt, tools, judgement, other answer."""

from typing import Any

from stages.reading import message_parsing as parsing
from stages.reading import ratings, tool_schemas
from stages.reading.spellings import one_of
from stages.reading.turn_contents import content_text, part_fields
from stages.reading.unread import WHOLE, empty
from stages.rows.row import Chat, Content, Judged, Message, Pair

SYSTEM = ("system", "system_prompt", "system_message", "systemInstruction", "system_instruction")  # the last: Gemini
REJECTED = ("rejected_response", "rejected_messages", "rejected")


def _system_fields(value: dict[str, Any]) -> dict[str, Any]:
    """What is read of a system prompt that is a part, or a turn of Gemini."""
    return {"role": WHOLE, "parts": part_fields} if "parts" in value else part_fields(value)


SETTING: dict[str, Any] = {**dict.fromkeys(SYSTEM, _system_fields), **dict.fromkeys(tool_schemas.FIELDS, WHOLE)}
JUDGEMENT: dict[str, Any] = {
    **dict.fromkeys(ratings.FIELDS, WHOLE),
    **dict.fromkeys(REJECTED, parsing.turn_fields),
}
BESIDE = SETTING | JUDGEMENT  # what `answered` reads


def answered(record: dict[str, Any], turns: list[Message]) -> Content:
    """The content of a conversation whose last turn is the answer, with all that the record says beside it.

    Raises:
        ValueError: the fields beside it contradict each other, or the turns.
    """
    if record.keys().isdisjoint(BESIDE):
        return Chat(turns)  # most records
    turns, tools = with_system(record, turns), tool_schemas.tools(record)
    good, rejected = ratings.rating(record), _rejected(record, turns)
    if rejected:
        if good is False:
            raise ValueError("the answer is judged bad, and another one is rejected: want one of them")
        return Pair(turns[:-1], turns[-1:], rejected, tools)
    return Chat(turns, tools) if good is None else Judged(turns[:-1], turns[-1:], good, tools)


def with_system(record: dict[str, Any], turns: list[Message]) -> list[Message]:
    """The turns after the system prompt that the record names beside them, if any.

    Raises:
        ValueError: the turns begin with another one.
    """
    prompt = one_of(record, SYSTEM)
    prompt = content_text(prompt["parts"] if isinstance(prompt, dict) and "parts" in prompt else prompt)
    if empty(prompt) or (turns and turns[0] == Message("system", prompt)):
        return turns
    if turns and turns[0].role == "system":
        raise ValueError("two system prompts, one of them beside the turns, and they differ: want one")
    return [Message("system", prompt), *turns]


def _rejected(record: dict[str, Any], turns: list[Message]) -> list[Message]:
    """The rejected answer without the prompt, should it repeat that; [] without one."""
    value = one_of(record, REJECTED)
    if empty(value):
        return []
    answer, prompt = parsing.messages(value, "assistant"), turns[:-1]
    for repeated in (prompt, [turn for turn in prompt if turn.role != "system"]):
        if repeated and answer[: len(repeated)] == repeated:
            answer = answer[len(repeated) :]
            break
    if answer == turns[-1:]:
        raise ValueError("the answer and the rejected one are the same")
    return answer
