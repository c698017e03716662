"""Answers beside their questions, scored; totals are ratios of sums, not means of ratios."""

from pathlib import Path

from stages.evaluating import scoring
from stages.evaluating.text_likelihood import Reading
from stages.params.evaluation import Suite, TextSuite
from stages.rows.row import Chat, Message, Row, Text, make_row


def chat(question: str, answer: str, *before: tuple[str, str]) -> Row:
    turns = [*before, ("user", question), ("assistant", answer)]
    return make_row(Chat([Message(role, text) for role, text in turns]))


def suite(*metrics: str) -> Suite:
    return Suite(8, 1, list(metrics), label="a", slots=["a", "b"], answer_schema={"type": "object"})


def answer(**scores: tuple[float, float]) -> scoring.Answer:
    return scoring.Answer("id", "prompt", "expected", "answer", scores)


def test_a_question_is_the_chat_without_its_last_turn() -> None:
    asked = scoring.questions(
        [chat("hello", "hi", ("system", "be brief")), chat("c", "d", ("user", "a"), ("assistant", "b"))]
    )

    assert asked == [
        [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}],
        [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
        ],
    ]


def test_an_answer_stands_with_its_last_question_and_every_metric_of_the_suite() -> None:
    row = chat("which?", '{"a": 1, "b": 2}', ("system", "be brief"))

    [found] = scoring.score([row], ['{"a":1}'], suite("exact_match", "slot_f1", "compact"))

    assert found == scoring.Answer(
        id=row.id,
        prompt="which?",
        expected='{"a": 1, "b": 2}',
        answer='{"a":1}',
        scores={"exact_match": (0, 1), "slot_f1.a": (2, 2), "slot_f1.b": (0, 1), "compact": (1, 1)},
    )


def test_a_text_stands_for_itself_with_every_metric_of_the_suite() -> None:
    found = [make_row(Text(text)) for text in ("one", "two")]
    readings = [Reading(0.0, 2, 2, 3), Reading(0.0, 0, 6, 3)]
    suite = TextSuite(1, 8, ["token_accuracy", "bits_per_byte"])

    scored = scoring.score_texts(found, readings, suite)

    assert scored[1] == scoring.Answer(
        found[1].id, "", "two", "", {"token_accuracy": (0.0, 6.0), "bits_per_byte": (0.0, 3.0)}
    )
    assert scoring.totals(scored) == {"token_accuracy": 0.25, "bits_per_byte": 0.0}


def test_totals_are_sums_of_numerators_over_sums_of_denominators() -> None:
    found = scoring.totals([answer(f1=(2.0, 2.0)), answer(f1=(0.0, 1.0)), answer(f1=(0.0, 0.0))])

    assert found == {"f1": 0.666667}  # the mean of ratios would be 0.5


def test_slot_f1_over_rows_is_2tp_over_2tp_fp_fn() -> None:
    wanted = ['{"a": 1}', '{"a": 1}', '{"a": 1}', "{}"]
    got = ['{"a": 1}', '{"a": 2}', "{}", '{"a": 1}']

    found = scoring.totals(scoring.score([chat("q", w) for w in wanted], got, suite("slot_f1")))

    assert found["slot_f1.a"] == round(2 * 1 / (2 * 1 + 2 + 2), 6)  # wrong value: FP and FN; missing: FN; extra: FP


def test_a_metric_with_nothing_to_count_is_0() -> None:
    assert scoring.totals([answer(f1=(0.0, 0.0)), answer(f1=(0.0, 0.0))]) == {"f1": 0.0}


def test_no_answers_have_no_totals() -> None:
    assert scoring.totals([]) == {}


def test_answers_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    written = [answer(a=(1.0, 1.0)), scoring.Answer("é", "two\nlines", "\u2028", '"', {"b": (0.0, 2.0)})]

    scoring.write(tmp_path / "answers.jsonl", written)

    assert scoring.read(tmp_path / "answers.jsonl") == written
