"""YAML text rewritten to other values: comments, order and layout of the fields that stay are kept, byte for byte."""

import io
import re
import textwrap
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

COMMENT = re.compile(r"[ \t]+#[^\n]*$")
ALIAS = re.compile(r"\s*:\s*\*[^\s,\]}]+")


class _Field(NamedTuple):
    """A field of a mapping, as a text writes it."""

    text: str
    key: Node
    node: Node
    value: Any

    @property
    def alias(self) -> bool:
        """True for `key: *anchor`: the node is the anchor's, which stands above."""
        return self.node.start_mark.index < self.key.start_mark.index

    @property
    def block(self) -> bool:
        """True for a mapping with a field a line."""
        return isinstance(self.node, MappingNode) and not self.node.flow_style and not self.alias

    def fields(self) -> dict[str, "_Field"]:
        if self.alias or not isinstance(self.node, MappingNode) or not isinstance(self.value, dict):
            return {}
        return _fields(self.text, self.node, self.value)

    def lines(self) -> tuple[int, int]:
        """(start of its first line, end of its last line) in the text."""
        return self.text.rfind("\n", 0, self.key.start_mark.index) + 1, _line_end(self.text, _end(self.text, self))

    def comment(self) -> str:
        """The comment at the end of its line, with the blanks before it."""
        where = self.key.end_mark.index if self.block else _end(self.text, self)
        comment = COMMENT.search(self.text[where : _line_end(self.text, where) - 1])
        return comment[0] if comment else ""


def rewrite(text: str, target: dict[str, Any], source: str) -> str:
    """`text` with the values `target`; what differs is written as `source` writes it, with its comments.

    Aliases stay if each still stands for the target value. A text that cannot be kept becomes plain YAML.
    """
    text, source = text.rstrip("\n") + "\n", source.rstrip("\n") + "\n"
    new = _fields(source, _compose(source), _load(source))
    for keep_aliases in (True, False):
        old = _fields(text, _compose(text), _load(text))
        written = _body(text, 0, old, target, new, 0, keep_aliases)
        written += text[max(field.lines()[1] for field in old.values()) :]
        if _is(written, target):
            return written
    return _dumped(target, flow=False)


def commented(values: list[tuple[list[str], Any, str]]) -> str:
    """YAML of nested sections, a line for each (path of names, value, comment or ""); a section is not left and taken
    up again."""
    lines: list[str] = []
    above: list[str] = []
    for path, value, comment in values:
        same_names = 0
        while same_names < min(len(above), len(path) - 1) and above[same_names] == path[same_names]:
            same_names += 1
        lines += [f"{'  ' * depth}{path[depth]}:" for depth in range(same_names, len(path) - 1)]
        end = f" # {' '.join(comment.split())}" if comment else ""
        lines.append(f"{'  ' * (len(path) - 1)}{path[-1]}: {_flow_text(value)}{end}")
        above = path[:-1]
    return "".join(f"{line}\n" for line in lines)


def _body(
    text: str, start: int, old: dict[str, _Field], target: dict[str, Any], new: dict[str, _Field], column: int,
    keep_aliases: bool,
) -> str:  # fmt: skip
    """The lines of a block mapping in the order of `target`; comments and blank lines above a field go with it."""
    above = {}
    for name, field in old.items():
        above[name] = text[start : field.lines()[0]]
        start = field.lines()[1]
    return "".join(
        above[name] + _changed(old[name], value, new.get(name), column, keep_aliases)
        if name in old
        else _added(name, value, new.get(name), column)
        for name, value in target.items()
    )


def _changed(old: _Field, target: Any, new: _Field | None, column: int, keep_aliases: bool) -> str:
    """The lines of a field with another value."""
    text, (start, end) = old.text, old.lines()
    if keep_aliases if old.alias else same(old.value, target) and (keep_aliases or not old.block):
        return text[start:end]
    fields, source = old.fields(), new.fields() if new else {}
    if not fields or not target or not isinstance(target, dict):
        return _added(old.key.value, target, new, column)
    comment = (new.comment() if new else "") or old.comment()
    if old.block:
        head = _line_end(text, old.key.end_mark.index)
        line = text[start : head - 1].removesuffix(old.comment())
        inner = next(iter(fields.values())).key.start_mark.column
        return f"{line}{comment}\n" + _body(text, head, fields, target, source, inner, keep_aliases)
    return text[start : old.node.start_mark.index] + _flow(old, target, new) + comment + "\n"


def _added(name: str, target: Any, new: _Field | None, column: int) -> str:
    """The lines of a field as the source writes it, or as plain values where that would say something else."""
    if new is not None:
        start, end = new.lines()
        lines = textwrap.indent(textwrap.dedent(new.text[start:end]), " " * column)
        if _is(lines, {name: target}):
            return lines
    return f"{' ' * column}{name}: {_flow_text(target)}{new.comment() if new else ''}\n"


def _flow(old: _Field, target: Any, new: _Field | None) -> str:
    """The text of a value within braces, or of a whole `{…}`."""
    text, start, end = old.text, old.node.start_mark.index, _end(old.text, old)
    if same(old.value, target) and not old.alias:
        return text[start:end]
    fields = old.fields()
    if fields and isinstance(target, dict) and fields.keys() == target.keys():
        source, written = new.fields() if new else {}, ""
        for name, field in fields.items():
            written += text[start : field.key.end_mark.index] + ": " + _flow(field, target[name], source.get(name))
            start = _end(text, field)
        return written + text[start:end]
    source = new.text[new.node.start_mark.index : _end(new.text, new)] if new and not new.alias else ""
    return source if "\n" not in source and _is(f"[{source}]", [target]) else _flow_text(target)


def _fields(text: str, node: Node, values: dict[str, Any]) -> dict[str, _Field]:
    return {key.value: _Field(text, key, value, values.get(key.value)) for key, value in node.value}


def _end(text: str, field: _Field) -> int:
    """The end of a field's value in the text, before blanks and comments."""
    if field.alias:
        return ALIAS.match(text, field.key.end_mark.index).end()
    node = field.node
    while isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        if isinstance(last, tuple):
            if last[1].start_mark.index < last[0].start_mark.index:
                return _end(text, _Field(text, *last, None))
            last = last[1]
        node = last
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, ScalarNode) and node.style in ("|", ">"):
        return start + len(text[start:end].rstrip())
    return end


def _line_end(text: str, index: int) -> int:
    return text.index("\n", index) + 1


def same(left: Any, right: Any) -> bool:
    """True for equal values of equal types, fields in any order: 1, 1.0 and true differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(value, right[name]) for name, value in left.items())
    return repr(left) == repr(right)


def _is(text: str, target: Any) -> bool:
    try:
        return same(_load(text), target)
    except YAMLError:
        return False


def _load(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def _compose(text: str) -> Node:
    return YAML(typ="safe", pure=True).compose(text)


def _flow_text(value: Any) -> str:
    """A value on one line."""
    return _dumped({"x": value}, flow=True).strip()[len("{x: ") : -1]  # in a list, {a: b} would be written a: b


def _dumped(value: Any, flow: bool) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.width, yaml.sort_base_mapping_type_on_output = flow, float("inf"), False
    stream = io.StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()
