"""`params.yaml` as typed structs. All problems are reported at once, one line each."""

import copy
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args, get_origin

import msgspec

from modelmake import param_problems
from modelmake.errors import UserError


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section of `params.yaml`: one field for each value, no defaults."""

    refused: ClassVar[dict[str, str]] = {}  # {tag that somebody may look for: why there is none}

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


def undecided(value: Any) -> list[Any]:
    """The truth values and whole numbers with a point in fields that do not say which of these, and integers, they
    hold; with where they are. To DVC 1, 1.0 and true are the same, and an edit from one to another is none.
    """
    if isinstance(value, Params):
        fields = [(field, getattr(value, field.name)) for field in msgspec.structs.fields(value)]
        return [[f.name, *found] for f, inner in fields
                if (found := _confusable(inner) if _is_open(f.type) else undecided(inner))]  # fmt: skip
    if isinstance(value, dict):
        return [[name, *found] for name, inner in value.items() if (found := undecided(inner))]
    return [found for inner in value for found in undecided(inner)] if isinstance(value, list | tuple) else []


def _is_open(kind: Any) -> bool:
    """True for a type with values that may be equal and of different types."""
    parts, queue = [], [kind]
    while queue:
        part = queue.pop()
        parts.append(part)
        queue += get_args(part) if get_origin(part) is not Literal else ()
    numbers = [number for number in (bool, int, float) if number in parts]
    return any(everything in parts for everything in (Any, dict, list, object)) or len(numbers) > 1


def _confusable(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [[name, *found] for name, inner in value.items() if (found := _confusable(inner))]
    if isinstance(value, list | tuple):
        return [[i, *found] for i, inner in enumerate(value) if (found := _confusable(inner))]
    return [repr(value)] if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()) else []


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
        raise UserError(f"{path}: found {param_problems.kind_of(values)}, want sections such as `train:`")
    return values


def decode(kind: Any, value: Any, where: str) -> tuple[Any, list[str]]:
    """(`value` converted to `kind`, problems); None if there are problems. Each problem begins with `where`."""
    problems = list(param_problems.problems(kind, value, where))
    if problems:
        return None, problems
    try:
        decoded = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return None, [f"{where}: {error}"]
    return decoded, [f"{where}.{problem}" for problem in _cross_problems(decoded)]


def section(values: dict[str, Any], dotted: str, kind: Any, file: str) -> Any:
    """The section with a dotted name, converted to `kind`. Mappings are sorted by their keys at any depth.

    DVC compares mappings without their order, so no stage may depend on it.

    Raises:
        UserError: with all problems of the section, a line each.
    """
    value: Any = values
    for part in dotted.split("."):
        if not isinstance(value, dict) or part not in value:
            raise UserError(f"{file}: {dotted}: missing: want this section")
        value = value[part]
    decoded, problems = decode(kind, _sorted(value), f"{file}: {dotted}")
    if problems:
        raise UserError("\n".join(problems))
    return decoded


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(inner) for key, inner in sorted(value.items(), key=lambda item: str(item[0]))}
    return [_sorted(inner) for inner in value] if isinstance(value, list) else value


def merge(kind: Any, default: Any, changes: Any) -> Any:
    """The values of `default` with those of `changes` over them, by their type in params.

    A section is merged field by field. A map of named sections gets exactly the items that `changes` names, each merged
    onto the default's item of that name. A section with another tag, a list or a plain value replaces the default's.
    """
    if not isinstance(default, dict) or not isinstance(changes, dict):
        return changes
    if get_origin(kind) is dict and param_problems.structs_in(item := get_args(kind)[1]):
        return {name: merge(item, default.get(name), change) for name, change in changes.items()}
    structs = param_problems.structs_in(kind)
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
