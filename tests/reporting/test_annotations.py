"""A sample for people, and their marks."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages.reporting import annotations
from stages.reporting.annotations import Mark
from stages.rows.row import Chat, Message, Pair, Row, Text, make_row

A, B, C = "a" * 24, "b" * 24, "c" * 24


def chat(asked: str, answer: str = "yes") -> Row:
    return make_row(Chat([Message("user", asked), Message("assistant", answer)]))


def told(tmp_path: Path, text: str, name: str = "anna.csv") -> dict[str, Mark]:
    (tmp_path / name).write_bytes(text.encode())
    return annotations.read(tmp_path)[Path(name).stem]


def test_a_sample_ignores_order_and_one_row_more_changes_at_most_one_of_it() -> None:
    found = [chat(f"question {n}") for n in range(300)]
    before = annotations.sample(found, 50, seed=1)

    assert annotations.sample(found[::-1], 50, seed=1) == before
    assert len({r.id for r in annotations.sample([*found, chat("one more")], 50, seed=1)} - {r.id for r in before}) <= 1
    assert {r.id for r in annotations.sample(found, 50, seed=2)} != {r.id for r in before}
    assert len(annotations.sample(found[:10], 50, seed=1)) == 10


def test_a_line_shows_what_each_kind_asks_and_answers() -> None:
    talk = make_row(Chat([Message("system", "be short"), Message("user", "hi"), Message("assistant", "ho")]))
    pair = make_row(Pair([Message("user", "hi")], [Message("assistant", "ho")], [Message("assistant", "no")]))

    assert [annotations.line(talk)[name] for name in ("question", "answer")] == ["system: be short\n\nuser: hi", "ho"]
    assert [annotations.line(pair)[name] for name in ("kind", "answer")] == ["pair", "chosen: ho\n\nrejected: no"]
    assert [annotations.line(make_row(Text("x")))[name] for name in ("question", "answer")] == ["", "x"]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "'=1", "''"])
def test_a_formula_is_neutral_and_read_back(cell: str) -> None:
    assert annotations.neutral(cell) == f"'{cell}"
    assert annotations.given(annotations.neutral(cell)) == cell


@given(st.text())
def test_every_cell_is_read_back(cell: str) -> None:
    assert annotations.given(annotations.neutral(cell)) == cell
    assert annotations.neutral(cell)[:1] not in {"=", "+", "-", "@", "\t", "\r"}


def test_what_was_written_is_read_back_once_marked(tmp_path: Path) -> None:
    found = [chat('=HYPERLINK("x")', '-5,\n"quoted"'), chat("plain\u2028\rtwo")]
    annotations.write(tmp_path / "sample.csv", found)
    with (tmp_path / "sample.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["question"] for line in lines] == ['\'=HYPERLINK("x")', "plain\u2028\rtwo"]
    assert lines[0]["answer"] == '\'-5,\n"quoted"'

    (tmp_path / "marks").mkdir()
    with (tmp_path / "marks/anna.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, annotations.COLUMNS)
        writer.writeheader()
        writer.writerows([lines[0] | {"verdict": "Wrong ", "note": "'=no"}, lines[1]])

    assert annotations.read(tmp_path / "marks") == {"anna": {found[0].id: Mark("wrong", "=no")}}


def test_spreadsheets_may_write_semicolons_other_columns_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = f"\ufeffverdict;id;mine\r\nok;{A};1\r\n;{B};2\r\n;;\r\n"

    assert told(tmp_path, text) == {A: Mark("ok", "")}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"id,verdict\n{A},maybe\n", "anna.csv:2: verdict 'maybe': want ok or wrong, or nothing"),
        (f'id,note,verdict\n{A},"two\nlines",ok\nx1,,ok\n', "anna.csv:4: id 'x1': want an id of sample.csv"),
        (f"id,verdict\n{A},ok\n{A},wrong\n", f"anna.csv:3: id {A} stands here twice: want one verdict a row"),
        ("id,answer\n", "anna.csv:1: no column verdict: want id, kind, question"),
        ("", "anna.csv:1: no column id and verdict"),
        (f'id,verdict\n{A},"ok\n', "anna.csv:2: unexpected end of data: want a line of CSV"),
    ],
)  # fmt: skip
def test_a_bad_file_is_told_by_line(tmp_path: Path, text: str, wanted: str) -> None:
    with pytest.raises(UserError) as error:
        told(tmp_path, text)

    assert wanted in str(error.value) and "\n" not in str(error.value)


def test_other_files_are_refused_and_hidden_ones_are_not_read(tmp_path: Path) -> None:
    (tmp_path / ".gitkeep").write_text("\n")
    assert annotations.read(tmp_path) == {}
    (tmp_path / "anna.xlsx").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"anna\.xlsx: want a CSV file with the columns id, kind"):
        annotations.read(tmp_path)
    (tmp_path / "anna.xlsx").rename(tmp_path / "anna.csv")
    (tmp_path / "anna.csv").write_bytes(b"id,verdict\n\xff")
    with pytest.raises(UserError, match=r"anna\.csv: byte 11 is not UTF-8"):
        annotations.read(tmp_path)


def test_wilsons_interval_is_that_of_the_literature() -> None:
    low, high = annotations.wilson(0, 10, 0.95)
    assert (low, round(high, 4)) == (0.0, 0.2775)
    assert [round(end, 4) for end in annotations.wilson(5, 10, 0.95)] == [0.2366, 0.7634]  # Newcombe 1998 gives such
    assert [round(end, 4) for end in annotations.wilson(81, 263, 0.95)] == [0.2553, 0.3662]  # his first example


def test_kappa_is_that_of_a_table_by_hand() -> None:
    """20 both ok, 15 both wrong, 5 and 10 apart: they agree on .7, by chance on .5."""
    a = ["ok"] * 25 + ["wrong"] * 25
    b = ["ok"] * 20 + ["wrong"] * 5 + ["ok"] * 10 + ["wrong"] * 15

    assert annotations.kappa(a, b) == pytest.approx(0.4)
    assert annotations.kappa(a, a) == 1
    assert annotations.kappa(["ok", "ok"], ["ok", "ok"]) is None


def test_rows_are_settled_by_most_marks_a_tie_is_wrong_and_rows_that_went_are_counted() -> None:
    ok, wrong = Mark("ok", ""), Mark("wrong", "no")
    given_marks = {"a": {A: ok, B: ok, C: wrong}, "b": {A: ok, B: wrong}, "c": {B: ok}}

    found = annotations.tell(given_marks, {A, B}, 0.95)
    assert (found["rows"], found["wrong"], found["gone"]) == (2, 0, 1)
    assert {name: (of["rows"], of["wrong"]) for name, of in found["annotators"].items()} == {
        "a": (2, 0), "b": (2, 1), "c": (1, 0),
    }  # fmt: skip
    assert found["pairs"] == [
        {"annotators": ["a", "b"], "rows": 2, "same": 1, "kappa": 0.0},
        {"annotators": ["a", "c"], "rows": 1, "same": 1, "kappa": None},
        {"annotators": ["b", "c"], "rows": 1, "same": 0, "kappa": 0.0},
    ]
    assert found["kappa"] == 0.0
    assert annotations.tell({"a": {A: ok}, "b": {A: wrong}}, {A}, 0.95)["wrong"] == 1
    nothing = annotations.tell({}, {A}, 0.95)
    assert (nothing["rows"], nothing["rate"], nothing["kappa"], nothing["pairs"]) == (0, None, None, [])
