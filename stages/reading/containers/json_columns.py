"""Tables of columns in one JSON object, as pandas and `datasets` write them, to records."""

from typing import Any


def records(value: dict[str, Any], of_a_record: tuple[str, ...]) -> list[dict[str, Any]]:
    """The records of a table; [] if the object is none.

    It is {column: [value, …]}, {column: {row: value}}, {row: {column: value}}, or {"columns", "index", "data"}.

    Args:
        of_a_record: names whose lists of objects are a conversation, not a column.
    """
    if value.keys() - {"index"} == {"columns", "data"}:
        names, rows = value["columns"], value["data"]
        fits = isinstance(names, list) and isinstance(rows, list) and all(map(_is_name, names))
        fits = fits and all(isinstance(row, list) and len(row) == len(names) for row in rows)
        return [dict(zip(names, row, strict=True)) for row in rows] if fits else []
    columns = list(value.values())
    if columns and all(isinstance(column, dict) and column for column in columns):
        rows = list(columns[0])
        if all(map(str.isdecimal, value)):
            return columns
        if all(map(str.isdecimal, rows)) and all(column.keys() == columns[0].keys() for column in columns):
            return [{name: value[name][row] for name in value} for row in rows]
    if not columns or not all(isinstance(column, list) and len(column) == len(columns[0]) for column in columns):
        return []
    if any(isinstance(item, dict) for name in of_a_record for item in value.get(name, ())):
        return []
    return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]


def _is_name(value: Any) -> bool:
    return isinstance(value, str)
