"""JSON Lines: values and errors are those of Python's json, whichever decoder read the line."""

import io
import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.reading.containers import jsonl
from stages.reading.containers.record import Broken, Record

HALF = re.compile("[\ud800-\udfff]")  # of a surrogate pair: only an escape can write it
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def read(text: str) -> list[Record | Broken]:
    return list(jsonl.records(io.StringIO(text, newline="\n")))


@given(st.dictionaries(st.text(), JSON), st.booleans())
def test_a_value_is_read_as_python_reads_it(value: dict, ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii)
    text = json.dumps(value) if HALF.search(text) else text

    [record] = read(text)

    assert repr(record.value) == repr(json.loads(text)) and record.text == text  # NaN too


@pytest.mark.parametrize(
    "number", ["1e23", "-0.0", "0.1", "1E400", "18446744073709551616", "-9223372036854775809", "5e-324"]
)
def test_a_number_is_read_as_python_reads_it(number: str) -> None:
    [record] = read(f'{{"n": {number}}}')

    assert repr(record.value["n"]) == repr(json.loads(number))


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": "\\ud800"}', '{"a": Infinity}'])
def test_values_that_msgspec_refuses_are_read(text: str) -> None:
    [record] = read(text)

    assert isinstance(record, Record)
    assert not (isinstance(record.value["a"], float) and math.isfinite(record.value["a"]))


@given(st.text())
def test_an_invalid_line_has_the_error_of_python(text: str) -> None:
    text = text.replace("\0", "").replace("\n", "").lstrip("\ufeff")
    try:
        value = json.loads(text)
    except ValueError as error:
        value = error
    records = read(text.encode("utf-8", "replace").decode())

    assert [r.detail if isinstance(r, Broken) else r.value for r in records] == (
        [] if not text.strip() else [f"no JSON: {value}"] if isinstance(value, ValueError)
        else [value if isinstance(value, dict) else "no JSON object"]
    )  # fmt: skip
