"""Random rows with masks, calls of tools and reasoning, and the check that no text is lost in what templates render."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st

from modelmake import params
from stages.base import CHAT_TEMPLATE
from stages.rows import parts
from stages.rows.row import Chat, Content, Function, Judged, Message, Pair, Text, ToolCall
from stages.training.row_renderer import RowRenderer
from tests.conftest import ROOT

STOPS = ["<|end|>", "<|im_end|>", "<|eot_id|>", "<|endoftext|>"]
WORDS = st.sampled_from(["Where is it?", "é😀", 'say "x", and', "a\n  b", "\\", "<b>", "{{ x }}", " led", "end \n"])
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9**9) | st.just(0.5) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["n", "town"]), inner, max_size=2),
    max_leaves=3,
)
CALL = st.builds(
    lambda name, arguments: ToolCall(Function(name, arguments), "function"),
    st.sampled_from(["weather", "find_it"]), st.dictionaries(st.sampled_from(["n", "town", "a b"]), VALUE, max_size=2),
)  # fmt: skip
USER = WORDS.map(lambda text: Message("user", text))
ANSWER = st.builds(
    lambda content, reasoning, train: Message("assistant", content, [], "", "", reasoning, train),
    WORDS, st.just("") | WORDS, st.booleans(),
)  # fmt: skip
EXCHANGE = st.tuples(USER, ANSWER).map(list)
CALLING = st.builds(
    lambda user, call, result, answer: [
        user, Message("assistant", "", [call]), Message("tool", result, name=call.function.name), answer
    ],
    USER, CALL, WORDS, ANSWER,
)  # fmt: skip
SYSTEM = st.just([]) | WORDS.map(lambda text: [Message("system", text)])


def _tool(said: str, default: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"town": {"type": "string", "default": default}}}
    return {"type": "function", "function": {"name": "weather", "description": said, "parameters": parameters}}


TOOLS = st.lists(st.builds(_tool, WORDS, st.sampled_from(["007", "[1]", "x"])), max_size=2)


def _content(kind: str, system: list, exchanges: list, tools: list, other: Message, good: bool) -> Content:
    turns = system + [turn for exchange in exchanges for turn in exchange]
    # Texts that no other turn has: so that one is not found in place of another.
    turns = [
        Message(t.role, t.content and f"{t.content}{n}qz", t.tool_calls, t.name, "", t.reasoning_content, t.train)
        for n, t in enumerate(turns)
    ]
    answer = Message("assistant", turns[-1].content, turns[-1].tool_calls, "", "", turns[-1].reasoning_content)
    return {
        "chat": Chat([*turns[:-1], answer], tools),
        "pair": Pair(turns[:-1], [answer], [Message("assistant", other.content)], tools),
        "judged": Judged(turns[:-1], [answer], good, tools),
    }[kind]


CONTENT = st.builds(
    _content, st.sampled_from(["chat", "pair", "judged"]), SYSTEM, st.lists(EXCHANGE | CALLING, min_size=1, max_size=2),
    TOOLS, ANSWER, st.booleans(),
)  # fmt: skip


class Tokenizer:
    """As much of a tokenizer as rendering needs."""

    special_tokens_map = {"bos_token": "<|bos|>", "eos_token": "<|end|>"}  # noqa: RUF012

    def __init__(self, template: str) -> None:
        self._template = template

    def get_chat_template(self, name: None, tools: list | None) -> str:
        return self._template


def templates() -> dict[str, str]:
    """The chat templates that ship here: of tiny bases, and of recipes."""
    recipes = {path.stem: params.load(path).get("base") or {} for path in sorted((ROOT / "recipes").glob("*.yaml"))}
    found = {name: base["chat_template"] for name, base in recipes.items() if base.get("chat_template")}
    return {"tiny": CHAT_TEMPLATE, **found}


RENDERERS = {
    (name, loss): RowRenderer(Tokenizer(template), loss, STOPS, [])
    for name, template in templates().items()
    for loss in ("assistant", "answer")
}


TEMPLATES = sorted({template for template, _ in RENDERERS})


class Texts(NamedTuple):
    """What templates made of rows."""

    rendered: int = 0
    refused: int = 0  # which tells what they would have lost
    lost: tuple[str, ...] = ()  # that a rendering lacks, or has where the loss sees it and should not


def texts_of(contents: list[Content], template: str) -> Texts:
    """Renders rows with a template that ships here, and looks for each of their texts."""
    rendered, refused, lost = 0, 0, []
    for content in contents:
        if not isinstance(content, Text):
            more_refused, more_lost = _texts_of(content, template)
            rendered, refused, lost = rendered + 1, refused + more_refused, lost + more_lost
    return Texts(rendered, refused, tuple(lost))


def _texts_of(content: Content, template: str) -> tuple[bool, list[str]]:
    split, refused, lost = parts.split(content), False, []
    for answer in filter(None, (split.answer, split.rejected)):
        loss = "assistant" if isinstance(content, Chat) else "answer"
        rendering = RENDERERS[template, loss].render(split.prompt, answer, split.tools)
        if rendering.losses:
            refused = True
            continue
        seen = "\0".join(rendering.text[start:end] for start, end in rendering.trained)
        turns = [*split.prompt, *answer]
        said = [text for turn in turns for text in _texts(turn)] + list(_strings(split.tools))
        lost += [text for text in said if not _is_in(text, rendering.text)]
        for turn in turns if loss == "assistant" else answer:
            if turn.role == "assistant" and turn.train:
                lost += [text for text in _texts(turn) if not _is_in(text, seen)]
            elif turn.content.endswith("qz") and turn.content in seen:
                lost.append(turn.content)
    return refused, lost


def _texts(turn: Message) -> list[str]:
    calls = [call.function for call in turn.tool_calls]
    return [turn.content, turn.reasoning_content, *(c.name for c in calls), *_strings([c.arguments for c in calls])]


def _is_in(text: str, rendered: str) -> bool:
    forms = (text.strip(), json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    return any(form in rendered for form in forms)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
