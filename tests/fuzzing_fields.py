"""Random fields put into records at every depth, and the check that no value of a record is lost without being told."""

import contextlib
import copy
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st

from stages.reading import field_names
from stages.reading.flags import FLAGS
from stages.reading.message_parsing import ITEMS, MASKS, ROLES
from stages.reading.ratings import FIELDS as RATING_FIELDS
from stages.reading.ratings import LABEL, RATINGS
from stages.reading.text_values import json_value
from stages.reading.tool_calls import TYPES as CALL_TYPES
from stages.reading.turn_contents import KINDS
from stages.reading.unread import empty, printable

MARKER = "qz"  # in values: replaced by a text that no other value has
TEXTS = (
    "content", "value", "instruction", "input", "output", "prompt", "completion", "chosen", "rejected", "question",
    "answer", "response", "edit", "system", "text",
)  # fmt: skip
UNKNOWN, MEANINGLESS = ("topic", "mood", "split"), ("id", "source", "created_at", "length")
NAMES = (*UNKNOWN, *MEANINGLESS, *(name for names in field_names.CHANGES_MEANING.values() for name in names))
VALUES = st.sampled_from(
    [
        *(0, 1, 0.0, 1.0, True, False, "0", "true", "down", "up", None, "", [], {}, 0.5, MARKER, MARKER, MARKER),
        *("length", "stop", "A text of more than six words, which says something."),
        {"a": MARKER, "label": 3},
        [MARKER, {"weight": 0, "b": None}],
        [{"type": "text", "text": MARKER, "c": MARKER}],
        {"role": "assistant", "content": MARKER, "mood": MARKER},
        [{"name": MARKER, "arguments": {"n": MARKER}, "d": MARKER}],
        [{"type": "function", "function": {"name": MARKER, "parameters": '{"properties": {"x": {"default": "007"}}}'}}],
    ]
)
CALLS = [{"name": MARKER, "arguments": {"n": MARKER}, "topic": MARKER}]
CALL_PARTS = [
    {"type": "thinking", "thinking": MARKER, "signature": MARKER},
    {"type": "text", "text": MARKER, "citations": [MARKER]},
    {"type": "tool_use", "id": MARKER, "name": MARKER, "input": {"n": MARKER}, "topic": MARKER},
]
RESULT_PARTS = [
    {"type": "tool_result", "tool_use_id": MARKER, "content": [{"type": "text", "text": MARKER}], "mood": 1}
]
GEMINI_PARTS = [{"text": MARKER, "thought": True}, {"functionCall": {"name": MARKER, "args": {"n": MARKER}, "mood": 1}}]
LANGCHAIN = [{"name": MARKER, "args": {"n": MARKER}, "id": MARKER, "type": "tool_call", "topic": MARKER}]
ITEM = {"type": "function_call", "call_id": MARKER, "name": MARKER, "arguments": '{"n": "x"}', "mood": MARKER}
TOOLS = [{"name": MARKER, "parameters": '{"properties": {"x": {"default": "007"}}}', "strict": True}]
OF_TURNS = [  # fields that formats read in turns of the assistant
    *[("weight", 0), ("weight", 1), ("train", False), ("trainable", "false"), ("masked", True), ("loss", 1.0)],
    *[("reasoning_content", MARKER), ("thinking", MARKER), ("content", MARKER), ("value", MARKER)],
    *[("tool_calls", CALLS), ("function_call", CALLS[0]), ("name", MARKER), ("role", "assistant"), ("from", "gpt")],
    *[("parts", GEMINI_PARTS), ("tool_calls", LANGCHAIN)],
    *[("additional_kwargs", {"tool_calls": LANGCHAIN, "mood": MARKER}), ("type", "function_call")],
]
OF_RECORDS = [  # fields that formats read beside turns
    *[("system", MARKER), ("system_prompt", MARKER), ("rating", "up"), ("rating", -1), ("label", False)],
    *[("kto_tag", True), ("rejected_response", MARKER), ("rejected", [{"role": "assistant", "content": MARKER}])],
    *[("context", MARKER), ("passages", [MARKER, [MARKER, {"a": MARKER}]]), ("contexts", {"a": [MARKER]})],
    *[("cot", MARKER), ("reasoning_content", [{"type": "text", "text": MARKER, "c": MARKER}]), ("reasoning", "on")],
    *[("status", "rejected"), ("style", "A text of more than six words, which says something.")],
    *[("tools", TOOLS), ("functions", TOOLS), ("images", [MARKER]), ("history", [[MARKER, MARKER]]), ("edit", MARKER)],
]
PLACE = st.integers(0, 9)
SALT = st.lists(
    st.tuples(PLACE, st.just("any"), st.tuples(st.sampled_from(NAMES), VALUES))
    | st.tuples(PLACE, st.just("turns"), st.sampled_from(OF_TURNS))
    | st.tuples(PLACE, st.just("record"), st.sampled_from(OF_RECORDS)),
    max_size=3,
)
TYPES = {*KINDS, *CALL_TYPES, *ITEMS}  # of parts, calls and items, which rows do not name
TOLD = re.compile(r"field (.*) \(records: ")  # in the error of ingest
Salt = list[tuple[int, str, tuple[str, Any]]]


def salted(record: Any, salt: Salt, marks: bool, as_text: bool) -> Any:
    """The record with more fields in its objects, wherever they are, that have no field of the name.

    Args:
        marks: texts of the record become texts that no other value has.
        as_text: lists of messages become the JSON of them.
    """
    numbers = itertools.count()

    def marked(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: marked(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [marked(item, name) for item in value]
        if isinstance(value, str) and (value == MARKER or (marks and value and name in TEXTS)):
            return f"{value}{next(numbers)}{MARKER}"
        return value

    if not isinstance(record, dict):
        return record
    record = copy.deepcopy(record)  # strategies share values
    for place, where, (name, value) in salt:
        objects = [record] if where == "record" else list(_objects(record))
        if where == "turns":
            is_answer = [any(o.get(key) in ("assistant", "gpt") for key in ("role", "from")) for o in objects]
            objects = list(itertools.compress(objects, is_answer)) or objects
        objects[place % len(objects)].setdefault(name, copy.deepcopy(value))
    record = marked(record)
    if as_text:
        record = {name: json.dumps(v) if isinstance(v, list) and v and isinstance(v[0], dict) else v
                  for name, v in record.items()}  # fmt: skip
    return record


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(item)


class Leaf(NamedTuple):
    """A value that says something."""

    path: str
    value: Any
    owner: dict[str, Any]  # the object that has it


def leaves(value: Any, texts: str, path: str = "", owner: dict[str, Any] | None = None) -> Iterator[Leaf]:
    """All values that say something; in place of a text outside `texts` that holds an object or a list, its values."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{") and value not in texts:
        with contextlib.suppress(ValueError, RecursionError):
            inner = json_value(value)
            value = inner if isinstance(inner, dict | list) and inner else value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, texts, f"{path}.{name}" if path else name, value)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, texts, f"{path}.*", owner)
    elif not empty(value):
        yield Leaf(path, value, owner or {})


def lost(record: dict[str, Any], rows: list[dict[str, Any]], told: set[str]) -> list[Leaf]:
    """The values of a record that are in none of its rows, are not told, and are not known to have no meaning.

    Args:
        rows: that the record became, as JSON.
        told: paths in the report, and those that were ignored.
    """
    values = list(_scalars(rows))
    values += [scalar for v in values if isinstance(v, str) and v.startswith('{"intent"') for scalar in _intents(v)]
    texts = "\0".join(value for value in values if isinstance(value, str))
    return [
        leaf
        for leaf in leaves(record, texts)
        if not (
            any(printable(leaf.path) == name or leaf.path.startswith(f"{name}.") for name in told)
            or "(others)" in told
            or field_names.meaning(leaf.path, leaf.value) is None
            or _is_in(leaf, record, rows, values, texts)
        )
    ]


def _is_in(leaf: Leaf, record: dict[str, Any], rows: list[dict[str, Any]], values: list[Any], texts: str) -> bool:
    name, value, owner = leaf.path.rpartition(".")[2], leaf.value, leaf.owner
    turns = [turn for row in rows for turn in _objects(row) if "role" in turn and "content" in turn]
    role = next((ROLES[r] for r in (owner.get("from"), owner.get("role")) if isinstance(r, str) and r in ROLES), None)
    if name in ("role", "from") and role and value in ROLES:
        return any(turn["role"] == ROLES[value] for turn in turns) or value in values
    if name in MASKS and role:
        is_trained = FLAGS[str(value).strip().lower()] == MASKS[name]
        content = owner.get("value", owner.get("content"))
        masked = [turn for turn in turns if turn.get("train") is False]
        return (
            any(turn["content"] == content or not isinstance(content, str) for turn in masked)
            if role == "assistant" and not is_trained
            else is_trained == (role == "assistant")
        )
    if name in RATING_FIELDS and owner is record and not (set(record) & {"text"}):
        word = str(int(value) if isinstance(value, float) else value).strip().lower()
        if name == LABEL and any(turn["content"].strip().lower() == word for turn in turns):
            return True
        good = RATINGS.get(word)
        contents = [row["content"] for row in rows]
        return any(c["kind"] == "pair" or c.get("good", c["kind"] == "chat") == good for c in contents)
    if (name == "type" and value in TYPES) or (name == "thought" and value is True):
        return True
    if name == "answer" and "choices" in record and not isinstance(value, bool):
        return True  # the place or label of a choice, of which the row has the label
    if not isinstance(value, str):
        return any(value == other and type(value) is type(other) for other in values) or json.dumps(value) in texts
    if value in texts:
        return True
    # A document is cut, and stripped, at any place.
    return any(row.get("group") for row in rows) and Counter("".join(value.split())) <= Counter(texts)


def _intents(answer: str) -> Iterator[Any]:
    """The values in the answer that a label becomes."""
    with contextlib.suppress(ValueError):
        yield from _scalars(json.loads(answer))


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _scalars(item)
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(item)
    else:
        yield value
