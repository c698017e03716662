"""How far two artifacts that should be the same are from each other, where that can be said in numbers."""

import filecmp
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Bounds = dict[str, float]  # what differs, a tensor or a number by its place: the largest absolute difference


def bounds(recorded: Mapping[str, Path], rebuilt: Mapping[str, Path]) -> Bounds | None:
    """Of two artifacts as {relative path: file}; None where they differ in more than numbers.

    Compared are the tensors of safetensors files and the numbers of JSON and JSONL files. Files of other kinds must
    have the same bytes.
    """
    if recorded.keys() != rebuilt.keys():
        return None
    found: Bounds = {}
    for name, file in recorded.items():
        if filecmp.cmp(file, rebuilt[name], shallow=False):
            continue
        compare = {".safetensors": tensors, ".json": _json, ".jsonl": _jsonl}.get(Path(name).suffix)
        differences = compare(file, rebuilt[name]) if compare else None
        if differences is None:
            return None
        found |= {f"{name}: {place}": value for place, value in differences.items()}
    return found


def tensors(recorded: Path, rebuilt: Path) -> Bounds | None:
    """{tensor: largest absolute difference} of those that differ; None where names, shapes, types or NaNs do."""
    import torch
    from safetensors import safe_open

    found: Bounds = {}
    with safe_open(recorded, "pt") as a, safe_open(rebuilt, "pt") as b:
        if sorted(a.keys()) != sorted(b.keys()) or a.metadata() != b.metadata():
            return None
        for name in sorted(a.keys()):
            x, y = a.get_tensor(name), b.get_tensor(name)
            if x.shape != y.shape or x.dtype != y.dtype:
                return None
            if torch.equal(*(t.reshape(-1).view(torch.uint8) for t in (x, y))):
                continue
            x, y = x.double(), y.double()
            difference = (x - y).where(x != y, 0.0).abs().max().item()  # the same infinity is no difference
            if math.isnan(difference):
                return None
            found[name] = difference
    return found


def _json(recorded: Path, rebuilt: Path) -> Bounds | None:
    return numbers(json.loads(recorded.read_bytes()), json.loads(rebuilt.read_bytes()))


def _jsonl(recorded: Path, rebuilt: Path) -> Bounds | None:
    return numbers(*([json.loads(line) for line in file.read_bytes().splitlines()] for file in (recorded, rebuilt)))


def numbers(a: Any, b: Any, place: str = "") -> Bounds | None:
    """{place: absolute difference} of the numbers that differ; None where anything else does."""
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
