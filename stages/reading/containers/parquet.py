"""Parquet: each row a record. Memory holds one row group.

Values become those of JSON: dates, times and decimals become text, bytes an object with their number, which no format
takes. Values of Arrow's JSON type, in which `datasets` keeps what differs from row to row, are decoded, and the numbers
of its labels are their names, if the file has these. Other objects lose their null fields, since Parquet gives every
object the fields of all. The numbers of rows that pandas writes are left out.
"""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from stages.reading import repeated_names
from stages.reading.containers.record import INDEX_NAME, INDEX_NOTE, Record, Tell, Unreadable

BATCH_ROWS = 1024  # decoded at a time


def read(file: BinaryIO, tell: Tell) -> Iterator[Record]:
    """The rows of the table, with their number in place of a line.

    Raises:
        Unreadable: the file is not Parquet, is damaged, or is compressed as a whole.
    """
    import pyarrow
    import pyarrow.parquet

    if not isinstance(file, io.BufferedReader):
        raise Unreadable(" Parquet has its own compression, and is not read through another one: unpack it")
    number = 0
    try:
        table = pyarrow.parquet.ParquetFile(file, pre_buffer=False)
        schema = table.schema_arrow
        decode = _json_decoder(pyarrow.struct(list(schema))) or (lambda row: row)
        features = {name: feature for name, feature in _features(schema.metadata).items() if _has_names(feature)}
        indexes = [field.name for field in schema
                   if INDEX_NAME.fullmatch(field.name) and pyarrow.types.is_integer(field.type)]  # fmt: skip
        for name in features:
            tell(f"the labels in its column {name!r} are their names, as the file has them")
        for name in indexes:
            tell(INDEX_NOTE.format(name))
        for batch in table.iter_batches(batch_size=BATCH_ROWS):
            for row in batch.to_pylist(maps_as_pydicts="lossy"):
                number += 1
                value = decode({name: _json_value(item) for name, item in row.items() if name not in indexes})
                yield Record(number, _named(value, features) if features else value, "")
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        cause = " ".join(str(error).split())
        raise Unreadable(f"{number + 1}: no Parquet that can be read: {cause}: fetch or write it again") from None


def _json_decoder(kind: Any) -> Callable[[Any], Any] | None:
    """What decodes the JSON in values of an Arrow type; None if there is none in them."""
    import pyarrow

    if isinstance(kind, pyarrow.JsonType):
        return lambda value: None if value is None else _decoded(value)
    if pyarrow.types.is_struct(kind):
        below = {field.name: decode for field in kind if (decode := _json_decoder(field.type))}
        return (lambda value: value and _decoded_fields(value, below)) if below else None
    if pyarrow.types.is_map(kind):
        decode_item = _json_decoder(kind.item_type)
        return decode_item and (lambda value: value and {name: decode_item(item) for name, item in value.items()})
    if isinstance(kind, pyarrow.ListType | pyarrow.LargeListType | pyarrow.FixedSizeListType):
        decode_element = _json_decoder(kind.value_type)
        return decode_element and (lambda value: value and [decode_element(item) for item in value])
    return None


def _decoded_fields(value: dict[str, Any], decoders: dict[str, Callable[[Any], Any]]) -> dict[str, Any]:
    return {name: decoders[name](item) if name in decoders else item for name, item in value.items()}


def _decoded(text: str) -> Any:
    try:
        return repeated_names.loads(text)
    except (ValueError, RecursionError):
        return text


def _features(metadata: dict[bytes, bytes] | None) -> dict[str, Any]:
    """The types of columns that `datasets` writes beside a table."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return features if isinstance(features, dict) else {}


def _has_names(feature: Any) -> bool:
    """Whether a type of `datasets` is a label with names, or holds one."""
    if isinstance(feature, list):
        return any(map(_has_names, feature))
    if not isinstance(feature, dict):
        return False
    return _is_label(feature) or any(map(_has_names, feature.values()))


def _is_label(feature: dict[str, Any]) -> bool:
    return feature.get("_type") == "ClassLabel" and isinstance(feature.get("names"), list)


def _named(value: Any, feature: Any) -> Any:
    """A value with the names of labels in place of their numbers; -1 is no label."""
    if isinstance(value, list):
        inner = feature[0] if isinstance(feature, list) and feature else feature
        return [_named(item, inner) for item in value]
    if not isinstance(feature, dict):
        return value
    if _is_label(feature):
        is_number = type(value) is int and -1 <= value < len(feature["names"])
        return (feature["names"][value] if value >= 0 else None) if is_number else value
    if isinstance(feature.get("_type"), str):  # List, Sequence, LargeList
        return _named(value, feature.get("feature"))
    return {name: _named(item, feature.get(name)) for name, item in value.items()} if type(value) is dict else value


def _json_value(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(name): _json_value(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    return {"bytes": len(value)} if isinstance(value, bytes) else str(value)
