"""JSON Lines: a record a line."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from stages.reading.containers import stream
from stages.reading.containers.record import Broken, Record

ADVICE = "want a record a line; save an array as .json"


def read(file: BinaryIO) -> Iterator[Record | Broken]:
    """The records of JSON Lines; lines without text are none."""
    decode = msgspec.json.Decoder().decode
    for number, line in enumerate(stream.lines(file, ADVICE), 1):
        if not line.strip():
            continue
        text = line[:-1] if line[-1] == "\n" else line
        try:
            value = decode(text)
        except (ValueError, RecursionError):
            value = _slowly(text)
        if isinstance(value, dict):
            yield Record(number, value, text)
        else:
            why = f"no JSON: {value}" if isinstance(value, Exception) else "no JSON object"
            yield Broken(number, why, text)


def _slowly(text: str) -> Any:
    """What msgspec refuses, as Python reads it (NaN, half a surrogate pair), or Python's error: it says where."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        return error
