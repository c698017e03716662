"""One chain to prove: a base, rows, steps and files; sound, or with a fault that has a name."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from unittest import mock

from stages.rows.row import Chat, Content, Function, Message, ToolCall
from tests.tiny_models import build_model, build_tokenizer
from tests.twinning import made_up

LORA = {"kind": "lora", "r": 8, "lora_alpha": 32}  # the other fields are those of the default recipe


class Case(NamedTuple):
    name: str
    part: str  # where the twin must find it; "": nothing is wrong
    steps: Mapping[str, dict[str, Any]] = MappingProxyType({"sft": {}})  # {step of recipes/default.yaml: changes}
    rows: Mapping[str, list[Content]] = MappingProxyType({})
    template: str | None = None
    base: Callable[[Path], object] = lambda folder: build_model(folder)
    patches: tuple[tuple[str, Any], ...] = ()  # (dotted name, what takes its place)
    quants: tuple[str, ...] = ()
    recipe: str = ""  # its steps, files and template, and a tiny base of its own; instead of the above


@contextmanager
def patched(case: Case) -> Iterator[None]:
    """The code with the fault of the case in it."""
    applied = [mock.patch(name, value) for name, value in case.patches]
    for patch in applied:
        patch.start()
    try:
        yield
    finally:
        for patch in reversed(applied):
            patch.stop()


def tokenizer(**settings: Any) -> Callable[[Path], None]:
    """A base whose tokenizer has these settings."""

    def build(folder: Path) -> None:
        build_tokenizer(folder, **settings)
        build_model(folder)

    return build


def said(*words: str, **more: Any) -> list[Content]:
    """Made up chats, and one that ends with these words."""
    return [*made_up.contents("chat", 15), Chat([Message("user", words[0]), Message("assistant", words[1])], **more)]


CALL = Message("assistant", "", [ToolCall(Function("weather", {"city": "Bern"}), "function")])
TOOL = {
    "type": "function",
    "function": {
        "name": "weather", "description": "the weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}  # fmt: skip
CALLS: list[Content] = [*made_up.contents("chat", 15), Chat([Message("user", "How is it?"), CALL], [TOOL])]
