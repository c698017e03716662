"""Evaluation: rows that a suite cannot score are an error before the model is loaded."""

from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages import evaluate
from stages.params.evaluation import AnySuite, Suite, TextSuite
from stages.params.machine import Machine
from stages.rows import jsonl
from stages.rows.row import Chat, Function, Message, Row, Text, ToolCall, make_row

CHAT = make_row(Chat([Message("user", "q"), Message("assistant", "a")]))
CALL = make_row(Chat([Message("user", "q"), Message("assistant", "", [ToolCall(Function("f", {}), "function")])]))
TEXT = make_row(Text("t"))
NUMBERS = Suite(8, 1, ["exact_match", "final_number"], label=None, slots=[], answer_schema=None)
CHATS = Suite(8, 1, ["exact_match"], label=None, slots=[], answer_schema=None)
TEXTS = TextSuite(1, 8, ["bits_per_byte"])
NONE_HAS_IT = (
    "suites.s.metrics: final_number: no expected answer has what it compares, such as that of "
    f"{CHAT.id}; mend the rows, or leave it out"
)


@pytest.mark.parametrize(
    ("rows", "suite", "message"),
    [
        ([], CHATS, "no rows: want held-out rows for suite s; raise split.test_fraction or add rows"),
        ([TEXT], CHATS, f"{TEXT.id} is a text: suites.s wants chat; change its rows"),
        ([CHAT], TEXTS, f"{CHAT.id} is a chat: suites.s wants text; change its rows"),
        ([CHAT], NUMBERS, NONE_HAS_IT),
        ([CHAT, CALL], NUMBERS, NONE_HAS_IT),
    ],
)
def test_rows_that_a_suite_cannot_score_are_an_error(
    tmp_path: Path, rows: list[Row], suite: AnySuite, message: str
) -> None:
    jsonl.write(tmp_path / "rows.jsonl", rows)
    paths = [tmp_path / name for name in ("none", "rows.jsonl", "answers", "scores")]

    with pytest.raises(UserError) as error:
        evaluate.main(*paths, tmp_path, "s", suite, Machine("cpu", "float32", 1))

    assert str(error.value) == f"{tmp_path}/rows.jsonl: {message}"
