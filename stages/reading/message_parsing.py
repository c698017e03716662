"""Turns in the spellings of all formats, read as canonical messages.

A turn has a role and a content, which may hold calls of tools, their results and reasoning (`turn_contents`). An item
of OpenAI's Responses is one of these alone; items that are one turn of the assistant become one message.
"""

import re
from collections.abc import Sequence
from typing import Any

from stages.reading.field_names import is_switch
from stages.reading.flags import flag
from stages.reading.spellings import one_of
from stages.reading.text_values import json_value, type_name
from stages.reading.tool_calls import call_fields, text_id, tool_call
from stages.reading.turn_contents import content_text, part_fields, read
from stages.reading.unread import WHOLE, empty
from stages.rows.row import Message, ToolCall

ROLES: dict[str, Any] = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "ai", "bot", "model", "chatgpt", "bing", "bard"), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "function_response", "ipython"), "tool"),
    "function_call": "assistant",
}
SPEAKERS = {name: role for name, role in ROLES.items() if role != "tool" and name != "function_call"}  # of plain turns
TRANSCRIPT = re.compile(r"\n\n(Human|Assistant):(?: |\Z)?")  # turns in one text, as in Anthropic's HH-RLHF
EXCHANGE = {  # field of an exchange, a question with its answer in one object -> whose words it has
    **SPEAKERS,
    **dict.fromkeys(("input", "question", "query", "instruction"), "user"),
    **dict.fromkeys(("output", "answer", "response"), "assistant"),
}
ORDER = ("system", "user", "assistant")  # of what is said in an exchange
REASONING = (
    "reasoning_content", "reasoning", "thinking", "think", "thoughts", "cot", "chain_of_thought", "scratchpad",
)  # fmt: skip
IN_CONTENT = "reasoning in the content"
MASKS = {  # field of a turn -> whether it says that the turn is trained, or that it is not
    **dict.fromkeys(("weight", "train", "trainable", "training", "loss", "loss_mask"), True),
    "masked": False,
}

CONTENTS = ("content", "value", "parts")
CALLS = ("tool_calls", "function_call")
ITEMS = {  # type of an item of OpenAI's Responses without a role -> what is read of it
    "function_call": call_fields,
    "function_call_output": {"type": WHOLE, "call_id": WHOLE, "output": part_fields},
    "reasoning": {"type": WHOLE, "summary": part_fields, "content": part_fields},
}
TURN = {  # what is read of a turn, as a tree of `stages.reading.unread`
    **dict.fromkeys(("role", "from", *REASONING, *MASKS), WHOLE),
    **dict.fromkeys(CONTENTS, part_fields),
    **dict.fromkeys(CALLS, call_fields),
    "additional_kwargs": dict.fromkeys(CALLS, call_fields),  # LangChain, which has OpenAI's calls there
}
CALLING_TURN = {**TURN, **dict.fromkeys(CONTENTS, call_fields)}  # of role function_call
TOOL_TURN = {**TURN, "name": WHOLE, "tool_call_id": WHOLE}
WANTED = 'want a message, such as {"role", "content"}'


def turn_fields(turn: dict[str, Any]) -> Any:
    """What `messages` reads of a turn."""
    if len(turn) == 2 and type(turn.get("content", turn.get("value"))) is str and ("role" in turn or "from" in turn):
        return WHOLE  # most turns
    if _is_item(turn):
        return ITEMS[turn["type"]]
    if is_exchange(turn):
        return dict.fromkeys(EXCHANGE, WHOLE)
    speaker = _speaker(turn)
    tree = CALLING_TURN if speaker == "function_call" else TOOL_TURN if ROLES.get(speaker) == "tool" else TURN
    tree = {**tree, "type": WHOLE} if turn.get("type") in ("message", speaker) else tree
    off = switches(turn)
    return {name: below for name, below in tree.items() if name not in off} if off else tree


def switches(record: dict[str, Any]) -> dict[str, Any]:
    """The fields of reasoning that have none, but turn it on or off: no row holds these."""
    return {name: record[name] for name in REASONING if name in record and is_switch(record[name])}


def messages(value: Any, role: str) -> list[Message]:
    """A list of turns or exchanges as messages, one turn, or a text as one message of this role.

    A text spelt "\\n\\nHuman: …\\n\\nAssistant: …" is read as turns; where it ends in "Assistant:", the answer follows.

    Raises:
        TypeError, ValueError: a turn has another shape or an unknown role.
    """
    if isinstance(value, str):
        return _transcript(value) if value.startswith("\n\nHuman:") else [Message(ROLES[role], value)]
    if isinstance(value, dict) and ("role" in value or "from" in value):
        value = [value]
    if not isinstance(value, list):
        raise TypeError(f"{type_name(value)}: want a text or a list of messages")
    turns: list[Message] = []
    after_item = False
    for turn in _with_named_roles(value):
        is_item = isinstance(turn, dict) and _is_item(turn)
        new = _item(turn) if is_item else _exchange(turn) if is_exchange(turn) else _turn(turn)
        if turns and new and (is_item or after_item) and _goes_on(turns[-1], new[0]):
            turns[-1:] = [_joined(turns[-1], new.pop(0))]
        turns += new
        after_item = is_item
    return turns


def _with_named_roles(turns: list[Any]) -> list[Any]:
    """The turns, with those spelt [role, text] as objects.

    Raises:
        ValueError: only some lists begin with a role: they may be turns, or questions with their answers.
    """
    firsts = [turn[0] for turn in turns if isinstance(turn, list) and is_exchange(turn)]
    named = [_role_word(first) in ROLES for first in firsts]
    if not any(named):
        return turns
    if not all(named):
        name, other = firsts[named.index(True)], firsts[named.index(False)]
        raise ValueError(f"{name!r} is a role and {other[:30]!r} is none: want roles in all turns")
    return [{"role": _role_word(turn[0]), "content": turn[1]} if isinstance(turn, list) and is_exchange(turn) else turn
            for turn in turns]  # fmt: skip


def _role_word(text: str) -> str:
    return text.strip().removesuffix(":").lower()


def _transcript(text: str) -> list[Message]:
    _, *parts = TRANSCRIPT.split(text)
    turns = [Message(ROLES[speaker.lower()], said) for speaker, said in zip(parts[::2], parts[1::2], strict=True)]
    return turns[:-1] if turns[-1] == Message("assistant", "") else turns


def is_exchange(turn: Any) -> bool:
    """True for a question with its answer: [question, answer], or an object such as {"human", "assistant"}."""
    if isinstance(turn, list):
        return len(turn) == 2 and all(isinstance(text, str) for text in turn)
    if not isinstance(turn, dict) or not turn.keys().isdisjoint(("role", "from", "type", *CONTENTS)):
        return False
    said = {name: turn[name] for name in turn if name in EXCHANGE}
    roles = [EXCHANGE[name] for name in said]
    return (
        bool(said) and len(set(roles)) == len(roles) and all(isinstance(v, str) or empty(v) for v in said.values())
        and (said.keys() <= SPEAKERS.keys() or {"user", "assistant"} <= set(roles))
    )  # fmt: skip


def _exchange(turn: Any) -> list[Message]:
    said = dict(zip(("user", "assistant"), turn, strict=True)) if isinstance(turn, list) else turn
    found = [Message(EXCHANGE[name], text) for name, text in said.items() if name in EXCHANGE and not empty(text)]
    return sorted(found, key=lambda message: ORDER.index(message.role))


def _turn(turn: Any) -> list[Message]:
    """One turn: the results of tools that it has, and what else it says."""
    if not isinstance(turn, dict):
        raise TypeError(f"{type_name(turn)}: {WANTED}")
    if len(turn) == 2:  # the fast path of most turns
        names = ("role", "content") if "role" in turn else ("from", "value")
        speaker, content = turn.get(names[0]), turn.get(names[1])
        if type(content) is str and type(speaker) is str and speaker in SPEAKERS:
            return [Message(SPEAKERS[speaker], content)]
    speaker = _speaker(turn)
    if speaker is None:
        what = f"type {turn['type']!r}" if "type" in turn else ", ".join(turn) or "nothing"
        raise ValueError(f"a turn of {what}: {WANTED}")
    role = ROLES.get(speaker) if isinstance(speaker, str) else None
    if role is None:
        raise ValueError(f"role {speaker!r}: want one of {', '.join(ROLES)}")
    if ROLES.get(turn.get("role", speaker)) != role:
        raise ValueError(f"from {speaker!r} and role {turn['role']!r} differ: want one of them")
    content, calls = one_of(turn, CONTENTS), []
    if speaker == "function_call":
        content = json_value(content) if isinstance(content, str) else content
        calls = [tool_call(call, True) for call in (content if isinstance(content, list) else [content])]
        content = ""
    said, trained = read(content), _is_trained(turn, role)
    calls = [*said.calls, *calls, *_calls(turn)]
    if not calls and turn.keys().isdisjoint(CONTENTS):
        raise ValueError(f"a turn of {', '.join(turn)} has no content: {WANTED}")
    text = "" if said.text is None and calls else said.text
    reasoning = one_of({**turn, **dict.fromkeys(switches(turn)), IN_CONTENT: said.reasoning}, (IN_CONTENT, *REASONING))
    if not empty(reasoning) and not (isinstance(reasoning, str) and role == "assistant"):
        raise ValueError(f"reasoning of a turn of role {role}: {type_name(reasoning)}: want a text, of the assistant")
    if said.results and role in ("system", "assistant"):
        raise ValueError(f"results of tools in a turn of role {role}: want them in one of role user or tool")
    if said.results and (role == "tool" or empty(text)):
        if not empty(text):
            raise ValueError("a text beside results in a turn of a tool: want turns of their own")
        return said.results
    name, call_id = (turn.get("name"), turn.get("tool_call_id")) if role == "tool" else (None, None)
    thought = "" if empty(reasoning) else reasoning
    return [*said.results, Message(role, text, calls, text_id(name), text_id(call_id), thought, trained)]


def _calls(turn: dict[str, Any]) -> list[ToolCall]:
    """The calls beside a content. LangChain repeats them in `additional_kwargs`."""
    found = [_calls_of(turn), _calls_of(turn["additional_kwargs"]) if turn.get("additional_kwargs") else []]
    if all(found) and found[0] != found[1]:
        raise ValueError("tool_calls and additional_kwargs differ: want one of them")
    return found[0] or found[1]


def _calls_of(turn: dict[str, Any]) -> list[ToolCall]:
    calls = [tool_call(call) for call in _items(turn.get("tool_calls"))]
    return calls if empty(turn.get("function_call")) else [*calls, tool_call(turn["function_call"])]


def _speaker(turn: dict[str, Any]) -> Any:
    """Who says a turn: from, role, or LangChain's type."""
    if "from" in turn:
        return turn["from"]
    speaker = turn.get("role", turn.get("type"))
    return speaker if "role" in turn or speaker in SPEAKERS or speaker == "tool" else None


def _is_item(turn: dict[str, Any]) -> bool:
    kind = turn.get("type")
    return isinstance(kind, str) and kind in ITEMS and "role" not in turn and "from" not in turn


def _item(item: dict[str, Any]) -> list[Message]:
    """The message of an item of OpenAI's Responses; [] for reasoning of which it has no words."""
    if item["type"] == "function_call":
        return [Message("assistant", "", [tool_call(item)])]
    if item["type"] == "function_call_output":
        return [Message("tool", content_text(item["output"]), tool_call_id=text_id(item.get("call_id")))]
    said = {name: read(item.get(name)) for name in ("content", "summary")}
    thought = one_of({name: s.reasoning or s.text for name, s in said.items()}, tuple(said))
    return [] if empty(thought) else [Message("assistant", "", reasoning_content=thought)]


def _goes_on(last: Message, new: Message) -> bool:
    """Whether two messages may be one turn of the assistant: reasoning, then text, then calls."""
    if not last.role == new.role == "assistant" or last.train != new.train:
        return False
    return not ((last.tool_calls or last.content) and (new.content or new.reasoning_content))


def _joined(last: Message, new: Message) -> Message:
    thoughts = "\n".join(filter(None, (last.reasoning_content, new.reasoning_content)))
    calls = [*last.tool_calls, *new.tool_calls]
    return Message("assistant", last.content or new.content, calls, "", "", thoughts, last.train)


def shared(first: Sequence[Message], second: Sequence[Message]) -> int:
    """Number of equal turns at the beginning of two conversations."""
    count = 0
    while count < min(len(first), len(second)) and first[count] == second[count]:
        count += 1
    return count


def _is_trained(turn: dict[str, Any], role: str) -> bool:
    """Whether the loss sees a turn: by default that of an assistant's, whatever else the turn says."""
    says = {}
    for name, meaning in MASKS.items():
        if not empty(value := turn.get(name)):
            says_yes = flag(value)
            if says_yes is None:
                raise ValueError(f"{name} {value!r}: want 0 or 1: a turn is trained, or it is not")
            says[name] = says_yes == meaning
    if len(set(says.values())) > 1:
        raise ValueError(f"{' and '.join(says)} contradict each other")
    if role == "assistant":
        return all(says.values())
    if any(says.values()):
        raise ValueError(f"{next(iter(says))}: a turn of role {role} to train on: only those of assistants are")
    return True  # the default; the loss sees no such turn anyway


def _items(value: Any) -> list[Any]:
    """The elements of a list, or of the list that a text holds."""
    if empty(value):
        return []
    value = json_value(value) if isinstance(value, str) else value
    if not isinstance(value, list):
        raise TypeError(f"tool_calls: {type_name(value)}: want a list")
    return value
