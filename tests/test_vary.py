"""A variant has the rows of its file, edited, each with an id of its own; what changes nothing is refused."""

import json
from pathlib import Path

import msgspec
import pytest

from modelmake.errors import UserError
from stages import vary
from stages.params.variation import Variant
from stages.rows import jsonl
from stages.rows.row import Chat, Message, Row, make_row

KEPT = Variant(rows="x", system_prompt="keep", typos=0.0, spaces=0.0, case="keep", seed=1)


def chat(question: str, answer: str = "here") -> Row:
    return make_row(Chat([Message("user", question), Message("assistant", answer)]))


def run(path: Path, **changes: object) -> tuple[str, list[Row], dict[str, object]]:
    varied, report = path.parent / "varied.jsonl", path.parent / "report.json"
    line = vary.main(path, varied, report, "loud", msgspec.structs.replace(KEPT, **changes))
    return line, jsonl.read(varied), json.loads(report.read_text())


def test_rows_of_a_suite_are_edited_and_have_ids_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    jsonl.write(path, [chat("where is it?"), chat("NOW?")])

    line, rows, report = run(path, case="upper")
    assert rows == sorted([chat("WHERE IS IT?"), chat("NOW?")], key=lambda row: row.id)
    assert report == {"in": 2, "out": 2, "dropped": {}, "changed": 1}
    assert line == "2 rows in, 2 out, 0 dropped; 1 rows written otherwise"


def test_rows_that_edits_make_equal_are_one(tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    jsonl.write(path, [chat("where?"), chat("Where?")])

    line, rows, report = run(path, case="upper")
    assert (len(rows), report["dropped"]) == (1, {"repeated": 1})
    assert line == "2 rows in, 1 out, 1 dropped (repeated 1); 2 rows written otherwise"


def test_chats_that_are_equal_in_the_file_are_one_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    lines = [json.dumps({"question": question, "answer": "here"}) for question in ("where?", "when?", "where?")]
    path.write_text("\n".join(lines))

    line, rows, report = run(path)
    assert rows == sorted([chat("where?"), chat("when?")], key=lambda row: row.id)
    assert report == {"in": 3, "out": 2, "dropped": {"repeated": 1}, "changed": 0}
    assert line == "3 rows in, 2 out, 1 dropped (repeated 1); 0 rows written otherwise"


def test_a_file_of_ones_own_is_a_suite(tmp_path: Path) -> None:
    path = tmp_path / "policy.jsonl"
    record = {"messages": [{"role": "user", "content": "May I?"}, {"role": "assistant", "content": "I can't help."}]}
    path.write_text(json.dumps(record) + "\n")

    line, rows, _ = run(path)
    assert rows == [chat("May I?", "I can't help.")]
    assert line == "1 rows in, 1 out, 0 dropped; 0 rows written otherwise"


def test_edits_that_change_nothing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    jsonl.write(path, [chat("where?")])

    with pytest.raises(UserError, match=r"evaluate.variants.loud changes none of 1 rows: want edits that do"):
        run(path, system_prompt="drop")


@pytest.mark.parametrize("text", ["", "\n"])
def test_a_file_without_rows_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "chat.jsonl").write_text(text)

    with pytest.raises(UserError, match=r"chat.jsonl: no rows: want some for a suite"):
        run(tmp_path / "chat.jsonl")
