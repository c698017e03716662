"""The distance of two artifacts that should be the same, where it can be given in numbers."""

import filecmp
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelmake.domain import Compare, Distances


def distances(
    recorded: Mapping[str, Path], rebuilt: Mapping[str, Path], compare: Mapping[str, Compare]
) -> Distances | None:
    """The differences of two artifacts, given as {relative path: file}; None where more than numbers differs.

    Numbers of JSON and JSONL files are compared here, files of other suffixes by `compare`. All others must have the
    same bytes.
    """
    if recorded.keys() != rebuilt.keys():
        return None
    compare = {".json": _json, ".jsonl": _jsonl, **compare}
    result: Distances = {}
    for name, file in recorded.items():
        if filecmp.cmp(file, rebuilt[name], shallow=False):
            continue
        distance = compare.get(Path(name).suffix)
        differences = distance(file, rebuilt[name]) if distance else None
        if differences is None:
            return None
        result |= {f"{name}: {place}": value for place, value in differences.items()}
    return result


def _json(recorded: Path, rebuilt: Path) -> Distances | None:
    return numbers(json.loads(recorded.read_bytes()), json.loads(rebuilt.read_bytes()))


def _jsonl(recorded: Path, rebuilt: Path) -> Distances | None:
    return numbers(*([json.loads(line) for line in file.read_bytes().splitlines()] for file in (recorded, rebuilt)))


def numbers(a: Any, b: Any, place: str = "") -> Distances | None:
    """{place: absolute difference} of the numbers that differ in two JSON values; None where anything else differs."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        parts = [numbers(a[key], b[key], f"{place}.{key}" if place else key) for key in a]
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        parts = [numbers(x, y, f"{place}[{n}]") for n, (x, y) in enumerate(zip(a, b, strict=True))]
    elif _is_number(a) and _is_number(b) and not math.isnan(a - b):
        return {place: abs(a - b)} if a != b else {}
    else:
        return {} if type(a) is type(b) and a == b else None
    return None if None in parts else {key: value for part in parts for key, value in part.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
