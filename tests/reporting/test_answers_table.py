"""The choice of questions, and the marked differences of answers."""

from msgspec.structs import replace

from stages.evaluating.scoring import Answer
from stages.reporting import answers_table


def answer(row: str, right: bool, text: str = "y", expected: str = "x") -> Answer:
    return Answer(row, f"question {row}", expected, text, {"exact_match": (float(right), 1.0)})


def test_wrong_answers_come_first_and_are_at_most_half() -> None:
    answers = {"dpo": [answer(f"{n}", n >= 5) for n in range(9)]}

    shown, wrong = answers_table.questions(answers, "dpo", "base", "exact_match", 4)

    assert [q.id for q in shown] == ["0", "1", "5", "6"]
    assert wrong == 5


def test_if_few_answers_are_right_the_wrong_ones_fill_the_page() -> None:
    answers = {"dpo": [answer(f"{n}", n == 8) for n in range(9)]}

    shown, _ = answers_table.questions(answers, "dpo", "base", "exact_match", 4)

    assert [q.id for q in shown] == ["0", "1", "2", "8"]


def test_equal_answers_are_grouped() -> None:
    answers = {"base": [answer("a", False, "n")], "dpo": [answer("a", True, "y")], "Q8_0": [answer("a", True, "y")]}

    [question], wrong = answers_table.questions(answers, "dpo", "base", "exact_match", 20)

    assert [(group.given_by, group.right) for group in question.answers] == [
        (("base",), False),
        (("dpo", "Q8_0"), True),
    ]
    assert (question.wrong, wrong) == (False, 0)


def test_the_same_words_that_are_right_and_wrong_or_of_which_other_things_are_told_are_not_grouped() -> None:
    slow = replace(answer("a", False), told={"pass_at_1": ["timed_out: 10 s", "passed"]})
    answers = {"sft": [answer("a", True)], "dpo": [answer("a", False)], "Q8_0": [slow]}

    [question], _ = answers_table.questions(answers, "dpo", "base", "exact_match", 20)

    assert [(group.given_by, group.right, group.told) for group in question.answers] == [
        (("sft",), True, ()),
        (("dpo",), False, ()),
        (("Q8_0",), False, ("pass_at_1: timed_out: 10 s",)),
    ]


def test_answers_differ_if_some_are_right_and_some_wrong_the_baseline_aside() -> None:
    def differ(base: bool, sft: bool, dpo: bool) -> bool:
        answers = {"base": [answer("a", base)], "sft": [answer("a", sft)], "dpo": [answer("a", dpo)]}
        return answers_table.questions(answers, "dpo", "base", "exact_match", 1)[0][0].differ

    assert not differ(False, True, True)
    assert not differ(True, False, False)
    assert differ(False, True, False)


def test_a_question_without_an_answer_of_a_file_is_shown_without_it() -> None:
    answers = {"dpo": [answer("a", True), answer("b", True)], "Q8_0": [answer("b", True)]}

    shown, _ = answers_table.questions(answers, "dpo", "base", "exact_match", 2)

    assert [q.answers[0].given_by for q in shown] == [("dpo",), ("dpo", "Q8_0")]


def test_a_json_value_that_differs_is_marked_and_white_space_is_not() -> None:
    pieces = answers_table.mark_differences('{"intent": "refund", "n": 1}', '{"intent":"warranty","n":1}')

    assert pieces == [('{"intent":', False), ('"warranty"', True), (',"n":1}', False)]


def test_words_that_differ_are_marked_in_plain_text() -> None:
    pieces = answers_table.mark_differences("the answer is 42 today", "the answer is\n 43 today")

    assert pieces == [("the answer is\n ", False), ("43", True), (" today", False)]


def test_an_answer_of_another_kind_is_not_marked() -> None:
    assert answers_table.mark_differences('{"intent": "refund"}', "I like tea, and cake") == [
        ("I like tea, and cake", False)
    ]
    assert answers_table.mark_differences("x", "") == [("", False)]


def test_pieces_join_to_the_answer() -> None:
    text = '{"a": "b \\" c",\n\t"d": [1, 2.5, null]} trailing ünï'

    assert "".join(part for part, _ in answers_table.mark_differences('{"a": "b", "d": [1]}', text)) == text
