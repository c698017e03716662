"""What a record says beside a conversation, the same in every format that can hold it.

A system prompt, tools, a judgement, another answer, the reasoning before the answer, what the question is about.
"""

from typing import Any

import msgspec

from stages.reading import message_parsing as parsing
from stages.reading import ratings, tool_schemas
from stages.reading.spellings import one_of
from stages.reading.text_values import type_name
from stages.reading.turn_contents import content_text, part_fields
from stages.reading.unread import WHOLE, empty, says
from stages.rows.row import Chat, Content, Judged, Message, Pair

SYSTEM = ("system", "system_prompt", "system_message", "systemInstruction", "system_instruction")  # the last: Gemini
REJECTED = ("rejected_response", "rejected_messages", "rejected")
ABOUT = ("context", "contexts", "passage", "passages")


def _system_fields(value: dict[str, Any]) -> dict[str, Any]:
    """What is read of a system prompt that is a part, or a turn of Gemini."""
    return {"role": WHOLE, "parts": part_fields} if "parts" in value else part_fields(value)


SETTING: dict[str, Any] = {**dict.fromkeys(SYSTEM, _system_fields), **dict.fromkeys(tool_schemas.FIELDS, WHOLE)}
JUDGEMENT: dict[str, Any] = {
    **dict.fromkeys(ratings.FIELDS, WHOLE),
    **dict.fromkeys(REJECTED, parsing.turn_fields),
}
BESIDE = SETTING | JUDGEMENT | dict.fromkeys(parsing.REASONING, part_fields)  # what `answered` reads
QUESTION: dict[str, Any] = dict.fromkeys(ABOUT, lambda _: {})  # what `about` reads: texts, and no objects


def answered(record: dict[str, Any], turns: list[Message]) -> Content:
    """The content of a conversation whose last turn is the answer, with all that the record says beside it.

    Raises:
        ValueError: the fields beside it contradict each other, or the turns.
    """
    if record.keys().isdisjoint(BESIDE):
        return Chat(turns)  # most records
    turns, tools = with_system(record, _with_reasoning(record, turns)), tool_schemas.tools(record)
    good, rejected = ratings.rating(record), _rejected(record, turns)
    if rejected:
        if good is False:
            raise ValueError("the answer is judged bad, and another one is rejected: want one of them")
        return Pair(turns[:-1], turns[-1:], rejected, tools)
    return Chat(turns, tools) if good is None else Judged(turns[:-1], turns[-1:], good, tools)


def about(record: dict[str, Any], turns: list[Message]) -> list[Message]:
    """The turns, with what the record says that their question is about before it, unless they hold that.

    Raises:
        TypeError, ValueError: it is no text or texts, or there is more than one question.
    """
    text = "\n\n".join(_texts(one_of(record, ABOUT)))
    questions = [turn for turn in turns if turn.role == "user"]
    if not text or any(says(turn.content, text) for turn in turns if isinstance(turn.content, str)):
        return turns
    if len(questions) != 1 or not isinstance(questions[0].content, str):
        said = ", ".join(type_name(turn.content) for turn in questions)
        raise ValueError(f"{said or 'no question'}: want one question, a text, beside {text[:30]!r}")
    return [msgspec.structs.replace(turn, content=f"{text}\n\n{turn.content}") if turn in questions else turn
            for turn in turns]  # fmt: skip


def _texts(value: Any) -> list[str]:
    """The texts in a value; what objects hold is not read."""
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if empty(value) or isinstance(value, dict):
        return []
    if not isinstance(value, str):
        raise TypeError(f"{type_name(value)}: want a text that the question is about, or a list of texts")
    return [value]


def _with_reasoning(record: dict[str, Any], turns: list[Message]) -> list[Message]:
    """The turns, with the reasoning that the record names beside them in the answer, unless that says it.

    Raises:
        ValueError: it is no text, or it may belong to several answers.
    """
    thought = content_text(one_of({**record, **dict.fromkeys(parsing.switches(record))}, parsing.REASONING))
    if empty(thought):
        return turns
    if not isinstance(thought, str):
        raise ValueError(f"reasoning: {type_name(thought)}: want the text before the answer")
    if [turn.role for turn in turns].count("assistant") != 1 or turns[-1].role != "assistant":
        raise ValueError("reasoning beside turns: want one answer, the last turn, or the reasoning in its turn")
    answer = turns[-1]
    if answer.reasoning_content not in ("", thought):
        raise ValueError("reasoning beside the turns and in the answer differ: want one of them")
    if isinstance(answer.content, str) and says(answer.content, thought):
        return turns
    return [*turns[:-1], msgspec.structs.replace(answer, reasoning_content=thought)]


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
