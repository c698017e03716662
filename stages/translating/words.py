"""Tables from the fields of a step to the words of another trainer. A field without an entry cannot be exported."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from stages.params.training import Step


class Word(NamedTuple):
    """The other trainer has it: under this key, with this value for each of ours, or with the same ones."""

    key: str
    values: Mapping[Any, Any] | None = None  # {ours: theirs}; others have no word


class Same(NamedTuple):
    """The other trainer has no word for it, and does what these of our values say."""

    values: tuple[Any, ...]
    why: str  # what it does instead of other values


class Beside(NamedTuple):
    """No word, and nothing that is learnt depends on it: it is told."""

    why: str


class InRows(NamedTuple):
    """It is in the exported rows."""


class Split(NamedTuple):
    """A number below 1 under one key, a number from 1 on under another."""

    below_1: str
    from_1: str


Entry = Word | Same | Beside | InRows | Split
IN_ROWS = InRows()
LAUNCH = "its launcher says so, and there more processes make a larger batch"
# What the rows hold already, as the step would train on them, and how a trainer is started.
ROWS: dict[str, Entry] = {
    **dict.fromkeys(("method", "from", "rows", "max_length", "over_long", "omit", "assistant_only_loss"), IN_ROWS),
    "processes": Same((1,), LAUNCH),
    "sharding": Same((None,), LAUNCH),
}


class Translation(NamedTuple):
    config: dict[str, Any]
    beside: list[str]  # what is left out and changes nothing that is learnt
    lost: dict[str, str]  # {field: why it cannot be said}; it would change what is learnt


def fields(step: Step) -> dict[str, Any]:
    """{dotted field: value} of a step as in params.yaml; sections within it are no fields of their own."""
    flat = {}
    for name, value in msgspec.to_builtins(step).items():
        if name in ("weights", "quantization") and value is not None:
            flat |= {f"{name}.{inner}": given for inner, given in value.items()}
        elif name not in ("weights", "quantization"):
            flat[name] = value
    return flat


def translate(given: dict[str, Any], table: Mapping[str, Entry]) -> Translation:
    """Says every field in the words of a table."""
    found = Translation({}, [], {})
    for field, value in given.items():
        match table.get(field):
            case None:
                found.lost[field] = f"{value!r}: has no word there"
            case Word(key, None):
                found.config[key] = value
            case Word(key, values):
                if _hashable(value) in values:
                    found.config[key] = values[_hashable(value)]
                else:
                    found.lost[field] = f"{value!r}: want one of {', '.join(map(repr, values))}"
            case Split(below_1, from_1):
                found.config[below_1 if 0 < value < 1 else from_1] = value
            case Same(values, why):
                if value not in values:
                    found.lost[field] = f"{value!r}: {why}"
            case Beside(why):
                found.beside.append(f"{field} = {value!r}: {why}")
    found.config.update({key: value for key, value in list(found.config.items()) if value is not None})
    for key in [key for key, value in found.config.items() if value is None]:
        del found.config[key]  # null: the other trainer's own word for nothing
    return found


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Source(NamedTuple):
    """What a step reads."""

    model: Path  # folder of the model that it starts from
    repo: str  # of the base on the hub; "": none
    dtype: str  # of the machine
    device: str
