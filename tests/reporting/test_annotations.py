"""The sample of rows, the files of annotators, and statistics of their verdicts."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages.reporting import annotations
from stages.reporting.annotations import Annotation
from stages.rows.row import Chat, Judged, Message, Pair, Row, Text, make_row

A, B, C = "a" * 24, "b" * 24, "c" * 24


def chat(question: str, answer: str = "yes") -> Row:
    return make_row(Chat([Message("user", question), Message("assistant", answer)]))


def read(tmp_path: Path, text: str) -> dict[str, Annotation]:
    """The annotations of a file with this text."""
    (tmp_path / "anna.csv").write_bytes(text.encode())
    return annotations.read(tmp_path)["anna"]


def test_a_sample_ignores_order_and_an_added_row_changes_at_most_one_of_it() -> None:
    rows = [chat(f"question {n}") for n in range(300)]
    before = annotations.sample(rows, 50, seed=1)

    assert annotations.sample(rows[::-1], 50, seed=1) == before
    assert len({r.id for r in annotations.sample([*rows, chat("one more")], 50, seed=1)} - {r.id for r in before}) <= 1
    assert {r.id for r in annotations.sample(rows, 50, seed=2)} != {r.id for r in before}
    assert len(annotations.sample(rows[:10], 50, seed=1)) == 10


def test_a_line_has_question_and_answer_of_each_kind() -> None:
    chat_row = make_row(Chat([Message("system", "be short"), Message("user", "hi"), Message("assistant", "ho")]))
    pair = make_row(Pair([Message("user", "hi")], [Message("assistant", "ho")], [Message("assistant", "no")]))

    assert [annotations.sample_line(chat_row)[name] for name in ("question", "answer")] == [
        "system: be short\n\nuser: hi",
        "ho",
    ]
    assert [annotations.sample_line(pair)[name] for name in ("kind", "answer")] == [
        "pair",
        "chosen: ho\n\nrejected: no",
    ]
    judged = make_row(Judged(pair.content.prompt, pair.content.rejected, False))
    assert annotations.sample_line(judged)["answer"] == "bad answer: no"
    assert [annotations.sample_line(make_row(Text("x")))[name] for name in ("question", "answer")] == ["", "x"]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "'=1", "''"])
def test_a_formula_is_escaped_and_read_back(cell: str) -> None:
    assert annotations.escape_formula(cell) == f"'{cell}"
    assert annotations.unescape_formula(annotations.escape_formula(cell)) == cell


@given(st.text())
def test_every_cell_is_read_back(cell: str) -> None:
    assert annotations.unescape_formula(annotations.escape_formula(cell)) == cell
    assert annotations.escape_formula(cell)[:1] not in {"=", "+", "-", "@", "\t", "\r"}


def test_an_annotated_sample_is_read_back(tmp_path: Path) -> None:
    rows = [chat('=HYPERLINK("x")', '-5,\n"quoted"'), chat("plain\u2028\rtwo")]
    annotations.write_sample(tmp_path / "sample.csv", rows)
    with (tmp_path / "sample.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["question"] for line in lines] == ['\'=HYPERLINK("x")', "plain\u2028\rtwo"]
    assert lines[0]["answer"] == '\'-5,\n"quoted"'

    (tmp_path / "marks").mkdir()
    with (tmp_path / "marks/anna.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, annotations.COLUMNS)
        writer.writeheader()
        writer.writerows([lines[0] | {"verdict": "Wrong ", "note": "'=no"}, lines[1]])

    assert annotations.read(tmp_path / "marks") == {"anna": {rows[0].id: Annotation("wrong", "=no")}}


def test_semicolons_other_columns_and_a_byte_order_mark_are_accepted(tmp_path: Path) -> None:
    text = f"\ufeffverdict;id;mine\r\nok;{A};1\r\n;{B};2\r\n;;\r\n"

    assert read(tmp_path, text) == {A: Annotation("ok", "")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"id,verdict\n{A},maybe\n", "anna.csv:2: verdict 'maybe': want ok or wrong, or nothing"),
        (f'id,note,verdict\n{A},"two\nlines",ok\nx1,,ok\n', "anna.csv:4: id 'x1': want an id of the sample"),
        (f"id,verdict\n{A},ok\n{A},wrong\n", f"anna.csv:3: id {A} is in the file twice: want one verdict a row"),
        ("id,answer\n", "anna.csv:1: no column verdict: want id, kind, question"),
        ("", "anna.csv:1: no column id and verdict"),
        (f'id,verdict\n{A},"ok\n', "anna.csv:2: unexpected end of data: want a line of CSV"),
    ],
)  # fmt: skip
def test_a_bad_file_is_an_error_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, text)

    assert message in str(error.value) and "\n" not in str(error.value)


def test_other_files_are_an_error_and_hidden_ones_are_ignored(tmp_path: Path) -> None:
    (tmp_path / ".gitkeep").write_text("\n")
    assert annotations.read(tmp_path) == {}
    (tmp_path / "anna.xlsx").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"anna\.xlsx: want a CSV file with the columns id, kind"):
        annotations.read(tmp_path)
    (tmp_path / "anna.xlsx").rename(tmp_path / "anna.csv")
    (tmp_path / "anna.csv").write_bytes(b"id,verdict\n\xff")
    with pytest.raises(UserError, match=r"anna\.csv: byte 11 is not UTF-8"):
        annotations.read(tmp_path)


def test_the_wilson_interval_agrees_with_the_literature() -> None:
    low, high = annotations.wilson_interval(0, 10, 0.95)
    assert (low, round(high, 4)) == (0.0, 0.2775)
    assert [round(end, 4) for end in annotations.wilson_interval(5, 10, 0.95)] == [
        0.2366,
        0.7634,
    ]  # as in Newcombe 1998
    assert [round(end, 4) for end in annotations.wilson_interval(81, 263, 0.95)] == [
        0.2553,
        0.3662,
    ]  # his first example


def test_kappa_agrees_with_a_table_by_hand() -> None:
    """20 both ok, 15 both wrong, 5 and 10 different: agreement 0.7, by chance 0.5."""
    a = ["ok"] * 25 + ["wrong"] * 25
    b = ["ok"] * 20 + ["wrong"] * 5 + ["ok"] * 10 + ["wrong"] * 15

    assert annotations.kappa(a, b) == pytest.approx(0.4)
    assert annotations.kappa(a, a) == 1
    assert annotations.kappa(["ok", "ok"], ["ok", "ok"]) is None


def test_the_majority_decides_a_tie_is_wrong_and_rows_that_are_gone_are_counted() -> None:
    ok, wrong = Annotation("ok", ""), Annotation("wrong", "no")
    by_annotator = {"a": {A: ok, B: ok, C: wrong}, "b": {A: ok, B: wrong}, "c": {B: ok}}

    result = annotations.statistics(by_annotator, {A, B}, 0.95)
    assert (result["rows"], result["wrong"], result["gone"]) == (2, 0, 1)
    assert {name: (entry["rows"], entry["wrong"]) for name, entry in result["annotators"].items()} == {
        "a": (2, 0), "b": (2, 1), "c": (1, 0),
    }  # fmt: skip
    assert result["pairs"] == [
        {"annotators": ["a", "b"], "rows": 2, "same": 1, "kappa": 0.0},
        {"annotators": ["a", "c"], "rows": 1, "same": 1, "kappa": None},
        {"annotators": ["b", "c"], "rows": 1, "same": 0, "kappa": 0.0},
    ]
    assert result["kappa"] == 0.0
    assert annotations.statistics({"a": {A: ok}, "b": {A: wrong}}, {A}, 0.95)["wrong"] == 1
    nothing = annotations.statistics({}, {A}, 0.95)
    assert (nothing["rows"], nothing["rate"], nothing["kappa"], nothing["pairs"]) == (0, None, None, [])
