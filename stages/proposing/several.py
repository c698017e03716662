"""Records with several questions in a list: `*` in the paths of a mapping makes a record of each."""

from typing import Any

ASKED = ("prompt", "instruction", "input", "question", "query", "messages")  # roles of which a record has one


def each(fields: dict[str, str], records: list[dict[str, Any]]) -> dict[str, str]:
    """The fields of a mapping with `*` for every place in a list of several questions."""
    lists = _lists(fields, records)
    return {role: _starred(path, lists) for role, path in fields.items()}


def unpaired(fields: dict[str, str], records: list[dict[str, Any]]) -> str:
    """Why not every question can have what the mapping takes beside it; "" if nothing says so."""
    lists = _lists(fields, records)
    asked = [path for role, path in fields.items() if role in ASKED and _starred(path, lists) != path]
    for role, path in fields.items():
        if asked and role not in ASKED and _starred(path, lists) == path and (count := _most(path, records)) > 1:
            return f"{asked[0]} is the first of several and {path} is the first of {count}: want a record for each"
    return ""


def _lists(fields: dict[str, str], records: list[dict[str, Any]]) -> list[str]:
    """The paths to first items, such as `sentences.0`, of the lists with several questions, outer ones first."""
    found = []
    for path in (fields[role] for role in ASKED if role in fields):
        parts = path.split(".")
        firsts = [".".join(parts[: i + 1]) for i, part in enumerate(parts) if part == "0"]
        found += [first for first in firsts if _most(first, records) > 1]
    return list(dict.fromkeys(found))


def _starred(path: str, lists: list[str]) -> str:
    parts = path.split(".")
    return ".".join("*" if ".".join(parts[: i + 1]) in lists else part for i, part in enumerate(parts))


def _most(path: str, records: list[dict[str, Any]]) -> int:
    """The most values that a record has in place of the one at a path."""
    return max((_count(record, path.split(".")) for record in records), default=0)


def _count(value: Any, path: list[str]) -> int:
    if not path:
        return 1
    if isinstance(value, list):
        return sum(_count(item, path[1:]) for item in value)
    return _count(value[path[0]], path[1:]) if isinstance(value, dict) and path[0] in value else 0
