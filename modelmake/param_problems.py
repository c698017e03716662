"""What is wrong with values of `params.yaml` by their types, in words. Values are refused here, and never changed."""

import contextlib
import difflib
import math
import re
import types
import typing
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec

NAME = re.compile(r"[A-Za-z0-9_]+")


def problems(kind: Any, value: Any, where: str) -> Iterator[str]:
    """The problems of a value, each beginning with `where`; none means that msgspec converts it."""
    structs = structs_in(kind)
    if structs and (value is not None or type(None) not in get_args(kind)):
        yield from _struct_problems(structs, value, where)
    elif get_origin(kind) is dict and isinstance(value, dict):
        for name, item in value.items():
            if not NAME.fullmatch(str(name)):
                yield f"{where}: name {name!r}: want only letters, digits and _ ({NAME.pattern}); rename it"
            else:
                yield from problems(get_args(kind)[1], item, f"{where}.{name}")
    elif get_origin(kind) is list and isinstance(value, list):
        for index, item in enumerate(value):
            yield from problems(get_args(kind)[0], item, f"{where}[{index}]")
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


def structs_in(kind: Any) -> list[type[msgspec.Struct]]:
    """The structs that a type allows."""
    options = get_args(kind) if get_origin(kind) in (typing.Union, types.UnionType) else (kind,)
    return [k for k in options if isinstance(k, type) and issubclass(k, msgspec.Struct)]


def _struct_problems(structs: list[type[msgspec.Struct]], value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} = {value!r}: want a section of its own, got {kind_of(value)}"
        return
    struct, tag = structs[0], structs[0].__struct_config__.tag_field
    if tag is not None:
        by_tag = {s.__struct_config__.tag: s for s in structs}
        if not isinstance(value.get(tag), str) or value[tag] not in by_tag:
            why = getattr(struct, "refused", {}).get(str(value.get(tag)))
            found = f"{value.get(tag)!r}: {why}" if why else repr(value.get(tag))
            yield f"{where}.{tag} = {found}: want one of {', '.join(sorted(by_tag))}"
            return
        struct = by_tag[value[tag]]
    known = {f.encode_name: f for f in msgspec.structs.fields(struct)}
    fields = {name: f.type for name, f in known.items()}
    for name in value:
        if name not in fields and name != tag:
            close = difflib.get_close_matches(str(name), fields, n=1)
            advice = f"did you mean {close[0]}?" if close else f"want one of {', '.join(sorted(fields))}"
            yield f"{where}.{name}: unknown key; {advice}"
    for name, kind in fields.items():
        if name not in value:
            if known[name].required:
                yield f"{where}.{name}: missing; give it a value"
        else:
            yield from problems(kind, value[name], f"{where}.{name}")


def kind_of(value: Any) -> str:
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
    return f"want {expected}, got {kind_of(value)}{advice}"
