"""Scored answers with their questions; totals are ratios of sums, not means of ratios."""

from pathlib import Path

import pytest

from stages.evaluating import scoring
from stages.evaluating.text_likelihood import TextLikelihood
from stages.params.evaluation import Suite, TextSuite
from stages.rows.row import Chat, Function, Message, Pair, Row, Text, ToolCall, make_row

TOOLS = [{"type": "function", "function": {"name": "time", "parameters": {"type": "object"}}}]
CALL = ToolCall(Function("time", {"zone": "UTC"}), "function")


def chat(question: str, answer: str, *before: tuple[str, str]) -> Row:
    turns = [*before, ("user", question), ("assistant", answer)]
    return make_row(Chat([Message(role, text) for role, text in turns]))


def suite(*metrics: str) -> Suite:
    return Suite(list(metrics), label="a", slots=["a", "b"], answer_schema={"type": "object"})


def answer(**scores: tuple[float, float]) -> scoring.Answer:
    return scoring.Answer("id", "prompt", "expected", "answer", scores)


@pytest.mark.parametrize(
    ("answer", "exact", "called"),
    [
        ('<tool_call>{"name": "time", "arguments": {"zone": "UTC"}}</tool_call>', 1, 1),
        ('{"name": "time", "parameters": {"zone": "UTC"}}', 1, 1),
        ('<tool_call>{"name": "time", "arguments": {"zone": "CET"}}</tool_call>', 0, 0),
        ("", 0, 0),
        ("It is noon.", 0, 0),
    ],
)
def test_the_right_call_scores_and_silence_does_not(answer: str, exact: int, called: int) -> None:
    row = make_row(Chat([Message("user", "now?"), Message("assistant", "", [CALL])], TOOLS))

    [scored] = scoring.score([row], [answer], suite("exact_match", "tool_call"))

    assert scored.answer == answer
    assert scored.expected == 'call time({"zone":"UTC"})'
    assert (scored.scores["exact_match"], scored.scores["tool_call"]) == ((exact, 1), (called, 1))


def test_the_expected_answer_of_a_pair_is_the_chosen_one() -> None:
    row = make_row(Pair([Message("user", "q")], [Message("assistant", "good")], [Message("assistant", "bad")]))

    scored = scoring.score([row, row], ["good", "bad"], suite("exact_match"))

    assert [(a.expected, a.scores["exact_match"]) for a in scored] == [("good", (1, 1)), ("good", (0, 1))]


def test_an_answer_has_the_whole_dialogue_and_every_metric_of_the_suite() -> None:
    row = chat("which?", '{"a": 1, "b": 2}', ("system", "be brief"))

    [scored] = scoring.score([row], ['{"a":1}'], suite("exact_match", "slot_f1", "compact"))

    assert scored == scoring.Answer(
        id=row.id,
        prompt="system: be brief\n\nuser: which?",
        expected='{"a": 1, "b": 2}',
        answer='{"a":1}',
        scores={"exact_match": (0, 1), "slot_f1.a": (2, 2), "slot_f1.b": (0, 1), "compact": (1, 1)},
    )


def test_a_text_has_every_metric_of_the_suite_and_no_answer() -> None:
    rows = [make_row(Text(text)) for text in ("one", "two")]
    likelihoods = [TextLikelihood(0.0, 2, 2, 3), TextLikelihood(0.0, 0, 6, 3)]
    suite = TextSuite(["token_accuracy", "bits_per_byte"])

    scored = scoring.score_texts(rows, likelihoods, suite)

    assert scored[1] == scoring.Answer(
        rows[1].id, "", "two", "", {"token_accuracy": (0.0, 6.0), "bits_per_byte": (0.0, 3.0)}
    )
    assert scoring.totals(scored) == {"token_accuracy": 0.25, "bits_per_byte": 0.0}


def test_totals_are_sums_of_numerators_over_sums_of_denominators() -> None:
    totals = scoring.totals([answer(f1=(2.0, 2.0)), answer(f1=(0.0, 1.0)), answer(f1=(0.0, 0.0))])

    assert totals == {"f1": 0.666667}  # the mean of ratios would be 0.5


def test_slot_f1_over_rows_is_2tp_over_2tp_fp_fn() -> None:
    expected = ['{"a": 1}', '{"a": 1}', '{"a": 1}', "{}"]
    answers = ['{"a": 1}', '{"a": 2}', "{}", '{"a": 1}']

    rows = [chat("q", text) for text in expected]

    totals = scoring.totals(scoring.score(rows, answers, suite("slot_f1")))

    assert totals["slot_f1.a"] == round(2 * 1 / (2 * 1 + 2 + 2), 6)  # wrong value: FP and FN; missing: FN; extra: FP


def test_a_metric_that_no_row_counts_for_has_no_value() -> None:
    assert scoring.totals([answer(f1=(0.0, 0.0), hits=(0.0, 1.0)), answer(f1=(0.0, 0.0), hits=(0.0, 1.0))]) == {
        "hits": 0.0
    }


def test_no_answers_have_no_totals() -> None:
    assert scoring.totals([]) == {}


def test_answers_survive_writing_and_reading(tmp_path: Path) -> None:
    answers = [answer(a=(1.0, 1.0)), scoring.Answer("é", "two\nlines", "\u2028", '"', {"b": (0.0, 2.0)})]

    scoring.write(tmp_path / "answers.jsonl", answers)

    assert scoring.read(tmp_path / "answers.jsonl") == answers


def test_expected_answers_that_no_answer_can_equal_are_counted_by_metric() -> None:
    call = make_row(Chat([Message("user", "now?"), Message("assistant", "", [CALL])], TOOLS))
    rows = [chat("1", "#### 18"), chat("2", "#### 18 * 2"), chat("3", '{"a": 1}'), call]

    found = scoring.unusable(scoring.in_words(rows), suite("final_number", "label_accuracy", "exact_match"))

    assert found == {"final_number": [rows[1].id, rows[2].id], "label_accuracy": [rows[0].id, rows[1].id]}
