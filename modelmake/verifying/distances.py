"""Numeric distances between two artifacts that should be equal."""

import filecmp
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelmake.domain import Compare, Distances


def of_artifacts(
    recorded: Mapping[str, Path], rebuilt: Mapping[str, Path], compare: Mapping[str, Compare]
) -> Distances | None:
    """{place: absolute difference} of two artifacts, {relative path: file}; None if more than numbers differs.

    Numbers of JSON and JSONL files are compared here, files of other suffixes by `compare`. All other files must have
    the same bytes.
    """
    if recorded.keys() != rebuilt.keys():
        return None
    compare = {".json": _json_files, ".jsonl": _jsonl_files, **compare}
    result: Distances = {}
    for name, file in recorded.items():
        if filecmp.cmp(file, rebuilt[name], shallow=False):
            continue
        compare_files = compare.get(Path(name).suffix)
        differences = compare_files(file, rebuilt[name]) if compare_files else None
        if differences is None:
            return None
        result |= {f"{name}: {place}": value for place, value in differences.items()}
    return result


def _json_files(recorded: Path, rebuilt: Path) -> Distances | None:
    return of_values(json.loads(recorded.read_bytes()), json.loads(rebuilt.read_bytes()))


def _jsonl_files(recorded: Path, rebuilt: Path) -> Distances | None:
    return of_values(*([json.loads(line) for line in file.read_bytes().splitlines()] for file in (recorded, rebuilt)))


def of_values(a: Any, b: Any, place: str = "") -> Distances | None:
    """{place: absolute difference} of the numbers that differ in two JSON values; None if anything else differs."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        parts = [of_values(a[key], b[key], f"{place}.{key}" if place else key) for key in a]
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        parts = [of_values(x, y, f"{place}[{n}]") for n, (x, y) in enumerate(zip(a, b, strict=True))]
    elif _is_number(a) and _is_number(b) and not math.isnan(a - b):
        return {place: abs(a - b)} if a != b else {}
    else:
        return {} if type(a) is type(b) and a == b else None
    return None if None in parts else {key: value for part in parts for key, value in part.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
