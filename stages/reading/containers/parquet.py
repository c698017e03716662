"""Parquet: each row a record. Memory holds one row group.

Values become those of JSON: dates, times and decimals become text, bytes an object with their number, which no format
takes. Values of Arrow's JSON type, in which `datasets` keeps what differs from row to row, are decoded. Other objects
lose their null fields, since Parquet gives every object the fields of all.
"""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from stages.reading.containers.record import Record, Unreadable

BATCH_ROWS = 1024  # decoded at a time


def read(file: BinaryIO) -> Iterator[Record]:
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
        decode = _json_decoder(pyarrow.struct(list(table.schema_arrow))) or (lambda row: row)
        for batch in table.iter_batches(batch_size=BATCH_ROWS):
            for row in batch.to_pylist(maps_as_pydicts="lossy"):
                number += 1
                yield Record(number, decode({name: _json_value(item) for name, item in row.items()}), "")
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
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _json_value(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(name): _json_value(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    return {"bytes": len(value)} if isinstance(value, bytes) else str(value)
