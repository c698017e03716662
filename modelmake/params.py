"""`params.yaml` as typed structs. All problems are reported at once, one line each."""

import contextlib
import copy
import difflib
import math
import re
import types
import typing
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from modelmake.errors import UserError

NAME = re.compile(r"[A-Za-z0-9_]+")


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section of `params.yaml`: one field for each value, no defaults."""

    def problems(self) -> list[str]:
        """Problems between fields that are each valid, as `field: found: wanted; what to do`."""
        return []

    def modules(self) -> list[str]:
        """The first-party modules that these values select (a method, a format, a metric)."""
        return []

    def environments(self) -> list[str]:
        """The folders of the isolated tool environments that these values select."""
        return []


def selected_code(values: Iterable[Any]) -> tuple[list[str], list[str]]:
    """(modules, folders of tool environments) chosen by those of `values` that are sections."""
    sections = [value for value in values if isinstance(value, Params)]
    modules = [name for section in sections for name in section.modules()]
    return modules, [folder for section in sections for folder in section.environments()]


def load(path: Path) -> dict[str, Any]:
    """The file as plain values, read as DVC reads it (YAML 1.2: `1e-4` is a number).

    Raises:
        UserError: the file is absent, not YAML or not a mapping.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file: want the project's parameters") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8: save the file as UTF-8") from None
    return copy.deepcopy(_read(text, path))


@lru_cache(maxsize=4)
def _read(text: str, path: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        values = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise UserError(f"{path}:{line}: {' '.join(str(error.problem).split())}: not valid YAML; mend it") from None
    except YAMLError as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}: not valid YAML; mend it") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: found {_kind(values)}, want sections such as `train:`")
    return values


def decode(kind: Any, value: Any, where: str) -> tuple[Any, list[str]]:
    """(`value` converted to `kind`, problems); None if there are problems. Each problem begins with `where`."""
    problems = list(_problems(kind, value, where))
    if problems:
        return None, problems
    try:
        decoded = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return None, [f"{where}: {error}"]
    return decoded, [f"{where}.{problem}" for problem in _cross_problems(decoded)]


def section(values: dict[str, Any], dotted: str, kind: Any, file: str) -> Any:
    """The section with a dotted name, converted to `kind`.

    Raises:
        UserError: with all problems of the section, a line each.
    """
    value: Any = values
    for part in dotted.split("."):
        if not isinstance(value, dict) or part not in value:
            raise UserError(f"{file}: {dotted}: missing: want this section")
        value = value[part]
    decoded, problems = decode(kind, value, f"{file}: {dotted}")
    if problems:
        raise UserError("\n".join(problems))
    return decoded


def merge(kind: Any, default: Any, changes: Any) -> Any:
    """The values of `default` with those of `changes` over them, by their type in params.

    A section is merged field by field. A map of named sections gets exactly the items that `changes` names, each merged
    onto the default's item of that name. A section with another tag, a list or a plain value replaces the default's.
    """
    if not isinstance(default, dict) or not isinstance(changes, dict):
        return changes
    if get_origin(kind) is dict and _structs(item := get_args(kind)[1]):
        return {name: merge(item, default.get(name), change) for name, change in changes.items()}
    structs = _structs(kind)
    tag = structs[0].__struct_config__.tag_field if structs else None
    if not structs or (tag is not None and changes.get(tag, default.get(tag)) != default.get(tag)):
        return changes
    types = {
        field.encode_name: field.type
        for struct in structs
        if tag is None or struct.__struct_config__.tag == default.get(tag)
        for field in msgspec.structs.fields(struct)
    }
    return {**default, **{name: merge(types.get(name), default.get(name), change) for name, change in changes.items()}}


def _cross_problems(value: Any) -> list[str]:
    if isinstance(value, Params):
        inner = [f"{name}.{p}" for name in value.__struct_fields__ for p in _cross_problems(getattr(value, name))]
        return [*value.problems(), *inner]
    if isinstance(value, dict):
        return [f"{name}.{p}" for name, item in value.items() for p in _cross_problems(item)]
    return []


def _problems(kind: Any, value: Any, where: str) -> Iterator[str]:
    structs = _structs(kind)
    if structs and (value is not None or type(None) not in get_args(kind)):
        yield from _struct_problems(structs, value, where)
    elif get_origin(kind) is dict and isinstance(value, dict):
        for name, item in value.items():
            if not NAME.fullmatch(str(name)):
                yield f"{where}: name {name!r}: want only letters, digits and _ ({NAME.pattern}); rename it"
            else:
                yield from _problems(get_args(kind)[1], item, f"{where}.{name}")
    elif get_origin(kind) is list and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _problems(get_args(kind)[0], item, f"{where}[{index}]")
    else:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            literals = _literals(kind) if "enum value" in str(error) else []
            message = f"want one of {', '.join(literals)}" if literals else _message(str(error), value)
            yield f"{where} = {value!r}: {message}"
        else:
            if isinstance(value, float) and not math.isfinite(value):
                yield f"{where} = {value!r}: want a finite number"


def _literals(kind: Any) -> list[str]:
    """The literals that a type allows."""
    options = get_args(kind) if get_origin(kind) in (typing.Union, types.UnionType) else (kind,)
    words = [str(word) for k in options if get_origin(k) is typing.Literal for word in get_args(k)]
    return words + ["a list" for k in options if get_origin(k) is list]


def _structs(kind: Any) -> list[type[Params]]:
    options = get_args(kind) if get_origin(kind) in (typing.Union, types.UnionType) else (kind,)
    return [k for k in options if isinstance(k, type) and issubclass(k, Params)]


def _struct_problems(structs: list[type[Params]], value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} = {value!r}: want a section of its own, got {_kind(value)}"
        return
    struct, tag = structs[0], structs[0].__struct_config__.tag_field
    if tag is not None:
        by_tag = {s.__struct_config__.tag: s for s in structs}
        if not isinstance(value.get(tag), str) or value[tag] not in by_tag:
            yield f"{where}.{tag} = {value.get(tag)!r}: want one of {', '.join(sorted(by_tag))}"
            return
        struct = by_tag[value[tag]]
    fields = {f.encode_name: f.type for f in msgspec.structs.fields(struct)}
    for name in value:
        if name not in fields and name != tag:
            close = difflib.get_close_matches(str(name), fields, n=1)
            advice = f"did you mean {close[0]}?" if close else f"want one of {', '.join(sorted(fields))}"
            yield f"{where}.{name}: unknown key; {advice}"
    for name, kind in fields.items():
        if name not in value:
            yield f"{where}.{name}: missing; give it a value"
        else:
            yield from _problems(kind, value[name], f"{where}.{name}")


def _kind(value: Any) -> str:
    """The type of a value in the terms of YAML."""
    names = {
        bool: "true/false",
        int: "a whole number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a section",
        type(None): "nothing",
    }
    return names.get(type(value), type(value).__name__)


def _message(error: str, value: Any) -> str:
    """The message of a msgspec error in the terms of YAML."""
    names = {
        "int": "a whole number",
        "float": "a number",
        "str": "text",
        "bool": "true or false",
        "array": "a list",
        "object": "a section",
        "null": "null",
    }
    match = re.match(r"Expected `([^`]+)`, got `[^`]+`", error)
    if not match:
        return error[0].lower() + error[1:]
    expected = " or ".join(dict.fromkeys(names.get(name, name) for name in match[1].split(" | ")))
    advice = ""
    if isinstance(value, str) and "number" in expected:
        with contextlib.suppress(ValueError):
            advice = f"; write {float(value)!r} without quotes"
    return f"want {expected}, got {_kind(value)}{advice}"
