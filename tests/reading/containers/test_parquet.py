"""Parquet: every row is a record with the types of JSON; a damaged file is one error of one line."""

import datetime
import decimal
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages.reading import files
from stages.reading.containers.record import Record
from stages.reading.record_reader import RecordReader


def write(path: Path, rows: list[dict], **options: object) -> Path:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path, **options)
    return path


def read(path: Path) -> list[Record] | str:
    try:
        return list(files.read(path, path.name))
    except UserError as error:
        return str(error)


def test_every_row_is_a_record_with_its_number_and_the_split_of_the_file_name(tmp_path: Path) -> None:
    rows = [{"text": str(n)} for n in range(3000)]

    records = read(write(tmp_path / "train-00000-of-00001.parquet", rows, row_group_size=500))

    assert records == [Record(n, row, "", "train") for n, row in enumerate(rows, 1)]


def test_values_have_types_of_json(tmp_path: Path) -> None:
    row = {
        "turns": [{"role": "user", "content": "é", "extra": None}, {"role": "x", "content": None, "extra": 1.5}],
        "day": datetime.date(2026, 11, 22),
        "at": datetime.datetime(2026, 11, 22, 1, 2, 3),
        "sum": decimal.Decimal("1.50"),
        "picture": b"\0\1",
        "nothing": None,
        "yes": True,
    }

    [record] = read(write(tmp_path / "a.parquet", [row]))

    assert record.value == {
        "turns": [{"role": "user", "content": "é"}, {"role": "x", "extra": 1.5}],
        "day": "2026-11-22",
        "at": "2026-11-22 01:02:03",
        "sum": "1.50",
        "picture": {"bytes": 2},
        "nothing": None,
        "yes": True,
    }


def test_values_of_datasets_json_type_are_objects_again(tmp_path: Path) -> None:
    from datasets import Dataset, Features, Json, List, Value

    parameters = {"type": "object", "properties": {"x": {"type": "boolean", "default": None}}}
    rows = [
        {"tools": [{"name": "f", "parameters": parameters}], "turns": [{"role": "user", "extra": None}], "more": "x"},
        {"tools": [{"name": "g", "parameters": "007"}], "turns": [{"role": "user", "extra": [1, "1"]}], "more": None},
        {"tools": None, "turns": [], "more": 7},
    ]
    schema = Features(
        {"tools": List({"name": Value("string"), "parameters": Json()}), "turns": List(Json()), "more": Json()}
    )
    Dataset.from_list(rows, features=schema).to_parquet(tmp_path / "a.parquet")

    assert [record.value for record in read(tmp_path / "a.parquet")] == rows


def test_tool_schemas_of_datasets_json_type_are_whole_in_the_row(tmp_path: Path) -> None:
    from datasets import Dataset, Features, Json, List, Value

    def tool(kind: str, default: object) -> dict:
        properties = {"x": {"type": kind, "default": default, "enum": [default]}}
        return {"type": "function", "function": {"name": "f", "parameters": {"properties": properties}}}

    tools = [[tool("string", "007")], [tool("boolean", True)], [tool("integer", 7)]]
    rows = [{"prompt": "u", "completion": "a", "tools": t} for t in tools]
    features = Features({"prompt": Value("string"), "completion": Value("string"), "tools": List(Json())})
    Dataset.from_list(rows, features=features).to_parquet(tmp_path / "a.parquet")

    chats = [RecordReader(None, None).read(record.value)[0][0] for record in read(tmp_path / "a.parquet")]

    assert [json.loads(chat)["tools"] for chat in chats] == tools


def test_labels_of_datasets_are_their_names(tmp_path: Path) -> None:
    from datasets import ClassLabel, Dataset, Features, List, Value

    label = ClassLabel(names=["lost_card", "card_arrival"])
    rows = [
        {"text": "a", "label": 1, "more": {"all": [0, 1], "n": 1}},
        {"text": "b", "label": -1, "more": {"all": [], "n": 0}},
        {"text": "c", "label": None, "more": None},
    ]
    features = Features({"text": Value("string"), "label": label, "more": {"all": List(label), "n": Value("int64")}})
    Dataset.from_list(rows, features=features).to_parquet(tmp_path / "a.parquet")

    told: list[str] = []
    records = list(files.read(tmp_path / "a.parquet", "a.parquet", told.append))

    assert [record.value for record in records] == [
        {"text": "a", "label": "card_arrival", "more": {"all": ["lost_card", "card_arrival"], "n": 1}},
        {"text": "b", "label": None, "more": {"all": [], "n": 0}},
        {"text": "c", "label": None, "more": None},
    ]
    assert told == [f"the labels in its column {name!r} are their names, as the file has them"
                    for name in ("label", "more")]  # fmt: skip


@pytest.mark.parametrize("metadata", [b"", b"[]", b"{}", b'{"info": null}', b'{"info": {"features": {"text": 3}}}'])
def test_metadata_that_is_none_of_datasets_is_no_matter(tmp_path: Path, metadata: bytes) -> None:
    table = pyarrow.Table.from_pylist([{"text": "a"}]).replace_schema_metadata({"huggingface": metadata})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")

    assert [record.value for record in read(tmp_path / "a.parquet")] == [{"text": "a"}]


def test_the_index_that_pandas_writes_is_no_field(tmp_path: Path) -> None:
    import pandas

    pandas.DataFrame({"text": ["a", "b"], "Unnamed: 0": [0, 1]}, index=[7, 3]).to_parquet(tmp_path / "a.parquet")

    told: list[str] = []
    records = list(files.read(tmp_path / "a.parquet", "a.parquet", told.append))

    assert [record.value for record in records] == [{"text": "a"}, {"text": "b"}]
    assert told == [f"the numbers in its column {name!r} are left out, as the index of pandas"
                    for name in ("Unnamed: 0", "__index_level_0__")]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "Parquet file size is 0 bytes"),
        (b"text\n", "Parquet file size is 5 bytes, smaller than the minimum file footer (8 bytes)"),
        (
            b"no parquet at all",
            "Parquet magic bytes not found in footer. Either the file is corrupted or this is not a parquet file.",
        ),
    ],
)
def test_a_file_that_is_not_parquet_is_one_line(tmp_path: Path, content: bytes, cause: str) -> None:
    (tmp_path / "a.parquet").write_bytes(content)

    error = read(tmp_path / "a.parquet")

    assert error == f"{tmp_path}/a.parquet:1: no Parquet that can be read: {cause}: fetch or write it again"


def test_parquet_within_gzip_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.parquet.gz").write_bytes(b"")

    assert read(tmp_path / "a.parquet.gz") == (
        f"{tmp_path}/a.parquet.gz: Parquet has its own compression, and is not read through another one: unpack it"
    )


@settings(max_examples=150)
@given(st.data())
def test_damaged_parquet_is_rows_or_one_line(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = write(tmp_path_factory.getbasetemp() / "a.parquet", [{"text": f"{n:>9}", "n": n} for n in range(99)])
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)) | st.just(len(content)))])

    records = read(path)

    assert isinstance(records, list) or "\n" not in records
