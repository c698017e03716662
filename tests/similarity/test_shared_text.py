"""What many rows share is found by frequency, and a question that is mostly shared is known by the rest."""

import pytest

from stages.similarity.shared_text import SharedText, UnitCounter, units

INSTRUCTION = "Say in one word what the customer wants; answer in lower case.\nUse no other word."


def counted(questions: list[str], least: int) -> SharedText:
    counter = UnitCounter()
    for question in questions:
        counter.add(question)
    return counter.shared(least)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("", []),
        (" \n\n ", []),
        ("one", ["one"]),
        ("One. Two?  Three\n\nfour: 1.5 ", ["One.", "Two?", "Three", "four:", "1.5"]),
    ],
)
def test_units_are_sentences_and_lines(question: str, expected: list[str]) -> None:
    assert units(question) == expected


def test_what_enough_rows_have_is_shared_and_the_rest_remains() -> None:
    questions = [f"{INSTRUCTION}\n\nRow {letter}" for letter in "abcd"]

    shared = counted(questions, least=4)

    assert shared.mostly.tolist() == [True] * 4
    assert [shared.rest(question) for question in questions] == ["Row a", "Row b", "Row c", "Row d"]
    assert len({shared.shared(question) for question in questions}) == 1
    assert counted(questions, least=5).mostly.tolist() == [False] * 4


def test_a_start_that_enough_rows_have_is_shared_though_the_question_is_on_the_same_line() -> None:
    start = " ".join(f"word{number}" for number in range(40))
    questions = [f"Be brief. {start} {letter} asks" for letter in "abcd"]

    shared = counted(questions, least=4)

    assert shared.mostly.tolist() == [True] * 4
    assert [shared.rest(question) for question in questions] == ["a asks", "b asks", "c asks", "d asks"]
    assert len({shared.shared(question) for question in questions}) == 1
    assert len({shared.shared(question) for question in (questions[0], f"Be brief. {start[:200]} asks")}) == 2
    assert counted(questions, least=5).mostly.tolist() == [False] * 4


def test_a_question_of_which_a_quarter_or_more_is_its_own_is_not_mostly_shared() -> None:
    shared = counted(["a" * 75 + "\n" + "b" * 25, "a" * 76 + "\n" + "b" * 24, "a" * 75, "a" * 76], least=2)

    assert shared.mostly.tolist() == [False, True, True, True]


def test_a_sentence_that_one_row_repeats_is_counted_once() -> None:
    assert counted(["Yes. Yes. Yes.", "No."], least=2).mostly.tolist() == [False, False]


def test_rows_that_share_other_things_are_told_apart() -> None:
    shared = counted(["one\nx", "one\ny", "two\nx", "two\ny"], least=2)

    assert len({shared.shared(question) for question in ("one\n.", "two\n.", "one\ntwo")}) == 3
