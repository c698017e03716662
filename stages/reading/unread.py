"""The values of a record that nothing reads.

What a format reads is a tree: {field: WHOLE, or the tree of the values in it}, or a function that gives the tree of an
object. Lists are passed through. A single value at a place of the tree is read.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from stages.reading import field_names

NESTED = (dict, list)
WHOLE = "whole"  # read with all that is in it
MAX_FIELDS = 200  # of a file that are told by their whole paths
MAX_PATH_CHARS = 200
MAX_EXAMPLE_CHARS = 60


class Paths(dict[str, Any]):
    """A tree of places: only what is at their ends is read; in lists they are numbers, or * for all elements."""


def empty(value: Any) -> bool:
    """True for what says nothing: null, a blank text, [], {} and NaN, which tables have in place of null."""
    if type(value) is str:
        return not value or value.isspace()
    return value is None or (value != value if type(value) is float else value in ([], {}))


def leaves(value: Any, tree: Any, path: str, found: dict[str, Any]) -> None:
    """Adds {path: value} of the single values outside a tree; `*` in a path is any element of a list.

    Of several values at one path the first that changes what rows mean is taken, or else one with a meaning.
    """
    kind = type(value)
    if kind is dict:
        if callable(tree):
            tree = tree(value)
        if tree is WHOLE:
            return
        for name, item in value.items():
            below = tree.get(name) if tree else None
            if below is not WHOLE and (below is None or type(item) in NESTED or type(below) is Paths):
                leaves(item, below, f"{path}.{name}" if path else name, found)
    elif kind is list and tree is not WHOLE:
        for place, item in enumerate(value):
            below = tree.get(str(place), tree.get("*")) if type(tree) is Paths else tree
            if callable(below) and type(item) is dict:
                below = below(item)
            if below is not WHOLE:
                leaves(item, below, f"{path}.*", found)
    elif (tree is None or type(tree) is Paths) and not empty(value):
        first = found.setdefault(path, value)
        if first is not value and field_names.depends_on_value(path):
            before, now = (field_names.meaning(path, item) for item in (first, value))
            if not before and (now or before is None):
                found[path] = value


def paths(names: list[str], fields: set[str]) -> Paths:
    """The tree of paths such as `answer.text`; a name with dots that a record has goes first."""
    tree = Paths()
    for name in names:
        node, parts = tree, [name] if name in fields else name.split(".")
        for part in parts[:-1]:
            below = node.setdefault(part, Paths())
            if below is WHOLE:
                break
            node = below
        else:
            node[parts[-1]] = WHOLE
    return tree


def without(value: Any, tree: Any) -> Any:
    """A value without what is at the ends of a tree of places."""
    if type(value) is dict:
        return {name: without(item, below) for name, item in value.items()
                if (below := tree.get(name, tree.get("*"))) is not WHOLE} if tree else value  # fmt: skip
    if type(value) is list and tree:
        return [without(item, below) for place, item in enumerate(value)
                if (below := tree.get(str(place), tree.get("*"))) is not WHOLE]  # fmt: skip
    return value


class Unread:
    """The unread fields of one file that may have a meaning: {path: {"records", "example"}}."""

    def __init__(self) -> None:
        self.fields: dict[str, dict[str, Any]] = {}
        self.stops: dict[str, str] = {}  # of them those without which rows would mean something else: {path: what}
        self._meaning: dict[str, str | None] = {}  # of paths that have one whatever the value: field_names.meaning

    def add(self, found: dict[str, Any], record: dict[str, Any] | None = None, content: bytes = b"") -> None:
        """Counts the fields of one record; those whose texts its content, as JSON, has already do not stop anything."""
        told = set()
        for path, value in found.items():
            what = self._meaning_of(path, value)
            if what is None:
                continue
            if what in field_names.TEXTS and content:
                texts, of_answers = list(_at(record, path.split("."))), what == field_names.REASONS
                what = "" if _repeats(content, texts, of_answers) else what
            name = printable(path)
            if name not in self.fields and len(self.fields) >= MAX_FIELDS:
                name = f"(others: {what})" if what else "(others)"
            if name in told:
                continue
            told.add(name)
            if name not in self.fields:
                self.fields[name] = {"records": 0, "example": example(value)}
            if what and name not in self.stops:
                self.stops[name] = what
                self.fields[name]["example"] = example(value)
            self.fields[name]["records"] += 1

    def _meaning_of(self, path: str, value: Any) -> str | None:
        if path in self._meaning:
            return self._meaning[path]
        what = field_names.meaning(path, value)
        if len(self._meaning) < 4 * MAX_FIELDS and not field_names.depends_on_value(path):
            self._meaning[path] = what
        return what


def _repeats(content: bytes, texts: list[Any], of_answers: bool) -> bool:
    """True if a content, as JSON, holds each of the texts as whole words, in its answers or else beside them."""
    said = "\0".join(_texts(msgspec.json.decode(content), of_answers))
    return bool(texts) and all(isinstance(text, str) and says(said, text) for text in texts)


def says(text: str, words: str) -> bool:
    """True if a text has the words of another one, whole and in succession."""
    words, at = words.strip(), -1
    while (at := text.find(words, at + 1)) >= 0:  # a pattern of a whole passage would take longer to compile
        end = at + len(words)
        if not (at and _in_word(text[at - 1])) and not (end < len(text) and _in_word(text[end])):
            return True
    return False


def _in_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _texts(value: Any, of_answers: bool) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    if isinstance(value, dict) and "role" in value and of_answers != (value["role"] == "assistant"):
        return
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(item, of_answers)


def _at(value: Any, path: list[str]) -> Iterator[Any]:
    """The values at a path that say something; `*` in it is any element of a list."""
    if not path:
        if not empty(value):
            yield value
    elif isinstance(value, list) and path[0] == "*":
        for item in value:
            yield from _at(item, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from _at(value[path[0]], path[1:])


def printable(path: str) -> str:
    """A path on one line."""
    path = path if path.isprintable() else path.encode("unicode_escape").decode()
    return path if len(path) <= MAX_PATH_CHARS else f"{path[: MAX_PATH_CHARS - 1]}…"


def example(value: Any) -> str:
    """The beginning of a value, on one line."""
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text[: 4 * MAX_EXAMPLE_CHARS].encode(errors="replace").decode().split())
    return text if len(text) <= MAX_EXAMPLE_CHARS else f"{text[: MAX_EXAMPLE_CHARS - 1]}…"
