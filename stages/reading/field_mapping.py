"""Fields of a file's records, mapped to those of a format as an entry of `ingest.files` says."""

import difflib
from typing import Any, NamedTuple

import msgspec

from stages.params.data import FileRule
from stages.reading import formats, items, placeholders, unread
from stages.reading.containers import split_names
from stages.reading.rejection import RejectedRecord
from stages.rows.timestamps import utc_timestamp

TEXT_FIELDS = frozenset(  # of formats; a number, true or false that is mapped to one is read as its text
    ("question", "answer", "prompt", "completion", "instruction", "input", "output", "chosen", "rejected", "text",
     "context", *formats.multiple_choice.LETTERS)
)  # fmt: skip
PLACES = {"multiple_choice": frozenset(formats.multiple_choice.RIGHT)}  # format -> fields whose numbers stay numbers


class Metadata(NamedTuple):
    """What a record says of its rows besides their content: the fields that `FileRule.fields` maps in any format."""

    split: str = ""
    group: str = ""
    time: str = ""


def rule_problems(rules: list[FileRule], where: str) -> list[str]:
    """Unknown formats of rules, and names in `fields` that are no fields of their format, a line each."""
    problems = []
    for i, rule in enumerate(rules):
        if rule.format is not None and rule.format not in formats.READERS:
            problems.append(f"{where}[{i}].format = {rule.format!r}: want one of {', '.join(formats.READERS)}, or null")
            continue
        try:
            items.lists(own for own in (rule.fields or {}).values() if own)
        except ValueError as error:
            problems.append(f"{where}[{i}].fields: {error}")
        modules = formats.READERS.values() if rule.format is None else [formats.READERS[rule.format]]
        known = {*Metadata._fields, *(name for module in modules for name in module.FIELDS)}
        for name in rule.fields or {}:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                wanted = near[0] if near else f"one of {', '.join(sorted(known))}"
                problems.append(f"{where}[{i}].fields.{name}: no field of {rule.format or 'any format'}: want {wanted}")
    return problems


def taken(fields: dict[str, str | None]) -> dict[str, str]:
    """The fields that are taken from the file; null says that it has none, or not to read it."""
    return {name: own for name, own in fields.items() if own is not None}


def map_fields(record: dict[str, Any], fields: dict[str, str], format: str | None) -> dict[str, Any]:
    """A record with the fields of a format, taken from its own by name or by path (`answer.text`, `answers.0`).

    Raises:
        RejectedRecord: a field is missing.
    """
    result, texts = {}, TEXT_FIELDS - PLACES.get(format or "", frozenset())
    for name, own in fields.items():
        value: Any = record
        for part in (own,) if own in record else own.split("."):
            if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            elif isinstance(value, dict) and part in value:
                value = value[part]
            else:
                raise RejectedRecord("no_field", f"no field {own!r} for {name}: found {sorted(record)}")
        if name in TEXT_FIELDS and own.rpartition(".")[2] in placeholders.NAMES and placeholders.no_label(value):
            raise RejectedRecord("empty_answer", placeholders.told(own, value))
        is_single = isinstance(value, int | float) and not unread.empty(value)
        result[name] = msgspec.json.encode(value).decode() if is_single and name in texts else value
    return result


def parse_metadata(fields: dict[str, Any]) -> Metadata:
    """Metadata from the values of its fields; null counts as missing.

    Raises:
        RejectedRecord: a split, a group or a time is invalid.
    """
    split, group, time = (fields.get(name) for name in Metadata._fields)
    split_name = "" if split is None else split_names.split_from_name(str(split))
    if split is not None and not split_name:
        raise RejectedRecord("wrong_split", f"split {split!r}: want {split_names.told()}")
    if group is not None and not isinstance(group, str | int):
        raise RejectedRecord("wrong_group", f"group {group!r}: want text or a whole number")
    try:
        timestamp = "" if time is None else utc_timestamp(time)
    except ValueError as error:
        raise RejectedRecord("wrong_time", f"time {error}") from None
    return Metadata(split_name, "" if group is None else str(group), timestamp)
