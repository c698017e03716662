"""Evaluation scores kept answers, without a model; rows that a suite cannot score are an error."""

import json
from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages import evaluate
from stages.evaluating import answer_file, scoring
from stages.evaluating.answer_file import Given
from stages.evaluating.text_likelihood import TextLikelihood
from stages.params.evaluation import AnySuite, Suite, TextSuite
from stages.rows import jsonl
from stages.rows.row import Chat, Function, Message, Row, Text, ToolCall, make_row

CHAT = make_row(Chat([Message("user", "q"), Message("assistant", "a")]))
OTHER = make_row(Chat([Message("user", "q2"), Message("assistant", "b")]))
CALL = make_row(Chat([Message("user", "q"), Message("assistant", "", [ToolCall(Function("f", {}), "function")])]))
TEXT = make_row(Text("t"))
NUMBERS = Suite(["exact_match", "final_number"], label=None, slots=[], answer_schema=None)
CHATS = Suite(["exact_match"], label=None, slots=[], answer_schema=None)
TRANSLATIONS = Suite(["bleu", "chrf"], label=None, slots=[], answer_schema=None)  # of fewer than four tokens
TEXTS = TextSuite(["bits_per_byte"])
NONE_HAS_IT = (
    "suites.s.metrics: final_number: no expected answer has what it compares, such as that of "
    f"{CHAT.id}; mend the rows, or leave it out"
)


def run(folder: Path, rows: list[Row], given: list[Given], suite: AnySuite) -> str:
    """The line of the stage. Rows are sorted by id, as `split` writes them."""
    paths = [folder / name for name in ("rows.jsonl", "answers.jsonl", "scored.jsonl", "scores.json")]
    jsonl.write(paths[0], rows)
    answer_file.write(paths[1], sorted(given, key=lambda of_row: of_row.id))
    return evaluate.main(*paths, folder, "s", suite)


def test_answers_are_scored_as_they_were_kept(tmp_path: Path) -> None:
    line = run(tmp_path, [CHAT, OTHER], [Given(CHAT.id, ["a"]), Given(OTHER.id, ["c"])], CHATS)

    assert line == "2 rows: exact_match 0.500"
    assert json.loads((tmp_path / "scores.json").read_text())["metrics"] == {"exact_match": 0.5}
    assert {a.id: a.answer for a in scoring.read(tmp_path / "scored.jsonl")} == {CHAT.id: "a", OTHER.id: "c"}


def test_tokens_are_added_up_where_all_were_counted(tmp_path: Path) -> None:
    counted = [Given(CHAT.id, ["a"], tokens=(10, 2)), Given(OTHER.id, ["c"], tokens=(7, 3))]
    run(tmp_path, [CHAT, OTHER], counted, CHATS)
    assert json.loads((tmp_path / "scores.json").read_text())["tokens"] == [17, 5]

    run(tmp_path, [CHAT, OTHER], [counted[0], Given(OTHER.id, ["c"])], CHATS)
    assert "tokens" not in json.loads((tmp_path / "scores.json").read_text())


def test_tokens_of_declined_requests_do_not_count(tmp_path: Path) -> None:
    declined = Given(OTHER.id, [""], tokens=(0, 0), declined="refused_request")

    line = run(tmp_path, [CHAT, OTHER], [Given(CHAT.id, ["a"], tokens=(7, 2)), declined], CHATS)

    scores = json.loads((tmp_path / "scores.json").read_text())
    assert (scores["tokens"], scores["declined"]) == ([7, 2], 1)
    assert line.endswith("; 1 requests were declined")


def test_likelihoods_are_scored_as_they_were_kept(tmp_path: Path) -> None:
    from math import log

    line = run(tmp_path, [TEXT], [Given(TEXT.id, likelihood=TextLikelihood(8 * log(2), 1, 4, 2))], TEXTS)

    assert line == "1 rows: bits_per_byte 4.000"


def test_a_row_with_samples_is_one_line_with_the_sums_of_their_scores(tmp_path: Path) -> None:
    run(tmp_path, [CHAT, OTHER], [Given(CHAT.id, ["a", "x", "a"]), Given(OTHER.id, ["x", "x", "x"])], CHATS)

    scored = scoring.read(tmp_path / "scored.jsonl")
    found = {a.id: (a.answer, list(a.scores["exact_match"])) for a in scored}
    assert found == {CHAT.id: ("a", [2, 3]), OTHER.id: ("x", [0, 3])}
    report = json.loads((tmp_path / "scores.json").read_text())
    assert report["rows"] == 2 and report["metrics"] == {"exact_match": pytest.approx(2 / 6, abs=1e-6)}


@pytest.mark.parametrize(
    ("rows", "suite", "message"),
    [
        ([TEXT], CHATS, f"{TEXT.id} is a text: suites.s wants chat; change its rows"),
        ([CHAT], TEXTS, f"{CHAT.id} is a chat: suites.s wants text; change its rows"),
        ([CHAT], NUMBERS, NONE_HAS_IT),
        ([CHAT, CALL], NUMBERS, NONE_HAS_IT),
        ([CHAT], TRANSLATIONS, NONE_HAS_IT.replace("final_number", "bleu")),
    ],
)
def test_rows_that_a_suite_cannot_score_are_an_error(
    tmp_path: Path, rows: list[Row], suite: AnySuite, message: str
) -> None:
    with pytest.raises(UserError) as error:
        run(tmp_path, rows, [Given(row.id, ["a"]) for row in rows], suite)

    assert str(error.value) == f"{tmp_path}/rows.jsonl: {message}"


def test_answers_to_other_rows_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"answers.jsonl: ids differ from those of .*: want answers to the same rows"):
        run(tmp_path, [CHAT], [Given(OTHER.id, ["a"])], CHATS)


def test_metrics_of_text_have_no_value_where_all_rows_expect_calls(tmp_path: Path) -> None:
    suite = Suite(["exact_match", "valid_json", "compact"], label=None, slots=[], answer_schema=None)

    line = run(tmp_path, [CALL], [Given(CALL.id, ["a"])], suite)

    assert line == "1 rows: exact_match 0.000; no row counts for valid_json, compact"
    report = json.loads((tmp_path / "scores.json").read_text())
    assert report["metrics"] == {"exact_match": 0.0}
    assert report["uncounted"] == ["valid_json", "compact"]
    assert {*report["declared"]} == {"exact_match", "valid_json", "compact"}
