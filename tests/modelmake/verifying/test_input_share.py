"""The share of a stage's inputs on which old and present code are compared."""

import datetime
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet

from modelmake.verifying import input_share


def write(file: Path, rows: list[object]) -> Path:
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


def read(file: Path) -> list[object]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_rows_without_an_id_are_taken_at_equal_distances(tmp_path: Path) -> None:
    source = write(tmp_path / "rows.jsonl", [{"n": n} for n in range(10)])

    assert input_share.take(source, tmp_path / "share/rows.jsonl", 4) == (4, 10)
    assert read(tmp_path / "share/rows.jsonl") == [{"n": 0}, {"n": 2}, {"n": 5}, {"n": 7}]


def test_tables_of_the_same_rows_keep_the_same_ones_in_their_own_order(tmp_path: Path) -> None:
    ids = [f"row {n}" for n in range(50)]
    questions = write(tmp_path / "questions.jsonl", [{"id": id, "question": "?"} for id in ids])
    answers = write(tmp_path / "answers.jsonl", [{"id": id, "answer": "!"} for id in reversed(ids)])
    shares = [input_share.take(file, tmp_path / f"share/{file.name}", 7) for file in (questions, answers)]

    assert shares == [(7, 50), (7, 50)]
    asked = [row["id"] for row in read(tmp_path / "share/questions.jsonl")]
    assert asked == sorted(asked, key=ids.index)
    assert asked == [row["id"] for row in read(tmp_path / "share/answers.jsonl")][::-1]


def test_rows_that_a_line_of_the_tables_names_are_chosen_together(tmp_path: Path) -> None:
    """By hash alone, 20 of 1,000 rows would hardly ever have both rows of a pair."""
    rows = write(tmp_path / "rows.jsonl", [{"id": f"row {n}"} for n in range(1000)])
    pairs = {
        "id": [f"row {n}" for n in range(0, 100, 2)],
        "kept": [f"row {n}" for n in range(1, 100, 2)],
        "n": [1] * 50,
    }
    pyarrow.parquet.write_table(pyarrow.table(pairs), tmp_path / "duplicates.parquet")
    pyarrow.parquet.write_table(pyarrow.table({"file": ["row 7"]}), tmp_path / "files.parquet")
    pyarrow.parquet.write_table(pyarrow.table({"id": pyarrow.array([], "string")}), tmp_path / "none.parquet")
    assert input_share.named_together([tmp_path / "none.parquet"], 20) == set()

    named = input_share.named_together([tmp_path / "duplicates.parquet", tmp_path / "files.parquet"], 20)
    assert len(named) == 4 and {f"row {int(id[4:]) ^ 1}" for id in named} == named, "two whole pairs"
    assert input_share.take(rows, tmp_path / "share.jsonl", 20, named) == (20, 1000)
    assert named < {*input_share.ids(tmp_path / "share.jsonl")}
    assert input_share.take(rows, tmp_path / "small.jsonl", 2, named) == (4, 1000), "no pair is torn"


def test_ids_that_are_no_texts_are_chosen_by_their_hash(tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.jsonl", [{"id": [n]} for n in range(9)])

    assert input_share.take(rows, tmp_path / "share.jsonl", 3, {"a"}) == (3, 9)
    assert input_share.ids(rows) == []


def test_ids_of_a_table_may_be_of_any_type(tmp_path: Path) -> None:
    days = [datetime.date(2026, 1, n) for n in (1, 2)]
    pyarrow.parquet.write_table(pyarrow.table({"id": days, "kept": ["a", "b"]}), tmp_path / "days.parquet")

    assert input_share.named_together([tmp_path / "days.parquet"], 10) in ({"a"}, {"b"})


def test_a_table_that_is_small_enough_is_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b'{"id": 1}\r\n\n{"id": 2}')

    assert input_share.take(tmp_path / "rows.jsonl", tmp_path / "share.jsonl", 3) == (3, 3)
    assert (tmp_path / "share.jsonl").read_bytes() == b'{"id": 1}\r\n\n{"id": 2}'


def test_parquet_is_cut_unless_other_tables_look_its_rows_up(tmp_path: Path) -> None:
    for column in ("text", "id"):
        pyarrow.parquet.write_table(pyarrow.table({column: ["a", "b", "c", "d"]}), tmp_path / f"{column}.parquet")

    assert input_share.take(tmp_path / "text.parquet", tmp_path / "share/text.parquet", 2) == (2, 4)
    assert pyarrow.parquet.read_table(tmp_path / "share/text.parquet")["text"].to_pylist() == ["a", "c"]
    assert input_share.take(tmp_path / "id.parquet", tmp_path / "share/id.parquet", 2) is None
    assert (tmp_path / "share/id.parquet").read_bytes() == (tmp_path / "id.parquet").read_bytes()


def test_other_files_stay_whole(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("1\n2\n3\n")

    assert input_share.take(tmp_path / "notes.txt", tmp_path / "share/notes.txt", 1) is None
    assert (tmp_path / "share/notes.txt").read_text() == "1\n2\n3\n"
