"""How endpoints want to be asked, and how they answer: OpenAI's chat completions, Anthropic's messages.

Sources: platform.openai.com/docs/api-reference/chat, docs.anthropic.com/en/api/messages.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from stages.rows.row import Message


class Said(NamedTuple):
    """What an endpoint answered."""

    text: str
    cut: bool  # at max_tokens, or at the end of the context
    held_back: bool  # by a filter of the endpoint
    prompt_tokens: int | None  # None: it did not say
    answer_tokens: int | None


class Dialect(Protocol):
    """One way of asking."""

    path: str  # after base_url
    wanted: str  # in errors

    def headers(self, key: str) -> dict[str, str]:
        """Headers that carry a key; "": there is none."""

    def body(self, messages: Sequence[Message], settings: dict[str, Any]) -> dict[str, Any]:
        """The request that continues these messages."""

    def read(self, response: Any) -> Said:
        """The answer in a decoded response. Raises a ValidationError if it is none."""


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


class OpenAI:
    path, wanted = "chat/completions", "an OpenAI-compatible endpoint"

    def headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} if key else {}

    def body(self, messages: Sequence[Message], settings: dict[str, Any]) -> dict[str, Any]:
        model, *others = settings.items()
        return dict([model, ("messages", msgspec.to_builtins(messages)), *others])

    def read(self, response: Any) -> Said:
        completion = msgspec.convert(response, _Completion)
        if not completion.choices:
            raise msgspec.ValidationError("no choice")
        choice, usage = completion.choices[0], completion.usage or _Usage()
        return Said(
            choice.message.content or "", choice.finish_reason == "length", choice.finish_reason == "content_filter",
            usage.prompt_tokens, usage.completion_tokens,
        )  # fmt: skip


class _Block(msgspec.Struct):
    type: str
    text: str = ""


class _Tokens(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Answer(msgspec.Struct):
    content: list[_Block]
    stop_reason: str | None = None
    usage: _Tokens | None = None


class Anthropic:
    path, wanted = "messages", "an endpoint of Anthropic's messages"

    def headers(self, key: str) -> dict[str, str]:
        return {"anthropic-version": "2023-06-01", **({"x-api-key": key} if key else {})}

    def body(self, messages: Sequence[Message], settings: dict[str, Any]) -> dict[str, Any]:
        system = "\n\n".join(turn.content for turn in messages if turn.role == "system")
        turns = [{"role": turn.role, "content": turn.content} for turn in messages if turn.role != "system"]
        return {**settings, **({"system": system} if system else {}), "messages": turns}

    def read(self, response: Any) -> Said:
        answer = msgspec.convert(response, _Answer)
        text = "".join(block.text for block in answer.content if block.type == "text")
        cut, usage = answer.stop_reason in ("max_tokens", "model_context_window_exceeded"), answer.usage or _Tokens()
        return Said(text, cut, answer.stop_reason == "refusal", usage.input_tokens, usage.output_tokens)


DIALECTS: dict[str, Dialect] = {"openai": OpenAI(), "anthropic": Anthropic()}
