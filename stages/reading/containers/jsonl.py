"""JSON Lines: each line a record."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from stages.reading import repeated_names
from stages.reading.containers.record import Broken, Record

ADVICE = "want a record a line; save an array as .json"


def records(lines: Iterable[str]) -> Iterator[Record | Broken]:
    """The records of the lines; blank lines are skipped."""
    decode = msgspec.json.Decoder().decode
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        text = line[:-1] if line[-1] == "\n" else line
        try:
            value = decode(text)
        except (ValueError, RecursionError):
            value = _decode_with_json(text)
        if isinstance(value, dict):
            yield record(number, value, text)
        else:
            detail = f"no JSON: {value}" if isinstance(value, Exception) else "no JSON object"
            yield Broken(number, detail, text)


def record(line: int, value: dict[str, Any], text: str, split: str = "") -> Record | Broken:
    """The record that a JSON object is, if it has each name once."""
    try:
        repeated_names.check(text, value)
    except repeated_names.RepeatedNameError as error:
        return Broken(line, str(error), text, "repeated_name")
    except RecursionError:  # deeper than json reads: no format has such a record
        pass
    return Record(line, value, text, split)


def _decode_with_json(text: str) -> Any:
    """Decodes what msgspec refuses (NaN, half a surrogate pair), or returns the error of json, which says where."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        return error
