"""Texts say the same if one has the words of the other in order, and nothing beyond but sentences of its own."""

import pytest

from stages.similarity.wording import TYPO_CHARS, doubtful_slips, figures, is_typo, one_slip_apart, wording
from stages.similarity.words_that_count import CONFUSED, INFLECTIONS

LOOP = "def total(xs):\n    for x in xs:\n        n += x\n    return n"


def same(one: str, other: str) -> bool:
    results = {doubtful_slips([(wording(a), wording(b))]) == [] for a, b in ((one, other), (other, one))}
    assert len(results) == 1, "whichever is first"
    return results.pop()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", "..."),
        ("The toaster is broken, sir.", "the toster is  broken sir!!"),
        ("We do that on Mondays.", "We do do that on Mondays"),
        ("We do that.", "We do that. It takes a while, as you know."),
        ("It is new.", "It is so. It is new."),
        ("- Open it\n- Close it", "- Open it\n- Wait for the bell\n- Close it"),
        ("Is top up pending?", "Is my top up pending yet?"),
        ("I want to speak to the dealer.", "I want to speak to the dealer. Thanks a lot"),
        ("Please send it to the shop.", "Send it to a shop"),
        ("**Yes**, it is - as a rule", "Yes: it is, as a rule :)"),
        ("1. Open it\n- Then close it", "1) open it\n* Then close it"),
        ("I don’t know", "I dont know."),
        ("It’s what I don't know", "Its what I dont know."),
        ("It costs  5 euros,\nor 7.", "It costs 5 euros, or 7"),
        (f"Try this:\n\n{LOOP}\n\nGood luck with it.", f"try this\n\n{LOOP}\n\ngood luck with it"),
        ("Call `f(x)` for the result.", "call f(x) for the resullt"),
        ("你好，世界。", "你好 世界"),
    ],
)
def test_edits_keep_what_a_text_says(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Always do it.", "Never do it."),
        ("I want it.", "I do not want it."),
        ("You can stop it.", "You can't stop it."),
        ("It is in the kitchen now.", "It is in the bedroom now."),
        ("Dog bites man", "Man bites dog"),
        ("He is from Korea.", "He is from North Korea."),
        ("She said that it is so.", "She falsely said that it is so."),
        ("Then turn.", "Then turn left."),
        ("Can I change it?", "How can I change it?"),
        ("It is new.", "It is blue, too. It is not new."),
        ("Ask Martina Carlton.", "Ask Martina Carton."),
        ("The captain was killed.", "The captain was nearly killed."),
        ("It is seventeen.", "It is seventy."),
        ("There are three men", "There are there men"),
        ("7 of 12", "12 of 7"),
        ("It is 1.5", "It is 1.6"),
        ("Set it to -5", "Set it to 5"),
        ("It costs 5", "It costs"),
        ("The answer is A", "The answer is B"),
        ("Use a >= b", "Use a <= b"),
        ("if x != y", "if x = y"),
        ("if !ok", "if ok"),
        ("a * b", "a - b"),
        ("Run grep -v x", "Run grep -c x"),
        ("Open `README`", "Open `readme`"),
        ("Open docs/README.md", "Open docs/readme.md"),
        ("Match \\D+ there", "Match \\d+ there"),
        ("x = True", "x = true"),
        ("It returns []", "It returns ()"),
        ('print("a  b")', 'print("a b")'),
        (LOOP, LOOP.replace("    return", "        return")),
        (LOOP, LOOP.replace("return n", "return N")),
        ("```\nclass A:\n```", "```\nclass a:\n```"),
        ("我喜欢你做的菜", "我不喜欢你做的菜"),
    ],
)
def test_a_word_or_sign_that_counts_makes_another_text(one: str, other: str) -> None:
    assert not same(one, other)


def test_of_two_texts_each_may_be_the_shorter_one_in_another_side() -> None:
    short, long = wording("We do that."), wording("We do that. It is as agreed.")

    assert doubtful_slips([(short, long), (long, short)]) == []


def test_one_word_in_place_of_another_twice_is_no_typo() -> None:
    question, answer = (
        (wording(f"{one} processing"), wording(f"{one} procesing")) for one in ("Where is it made?", "It is from")
    )

    assert doubtful_slips([question]) == doubtful_slips([answer]) == []
    assert doubtful_slips([question, answer]) is None


def test_a_slip_in_a_name_makes_another_name() -> None:
    assert same("Where is the Processing unit?", "Where is the procesing unit?")
    assert not same("Where is the Processing unit?", "Where is the Procesing unit?")
    assert same("WHERE IS THE PROCESSING UNIT?", "WHERE IS THE PROCESING UNIT?")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("toaster", "toster", True),
        ("toaster", "toasster", True),
        ("toaster", "toatser", True),
        ("toaster", "toasyer", True),
        ("toaster", "toastre", True),
        ("football", "footbal", True),
        ("princess", "princes", False),
        ("toaster", "toastet", False),
        ("toaster", "toasters", False),
        ("toaster", "toasper", False),
        ("writers", "writes", False),
        ("never", "nver", True),
        ("ever", "evr", False),
        ("niemals", "niemand", False),
        ("fourteen", "fourten", True),
        ("nitrate", "nitrite", False),
        ("process", "profess", False),
        ("country", "county", False),
        ("shipping", "shippnig", True),
        ("=toaster", "=toster", False),
        ("toaster", "tostr", False),
        ("toaster", "roaster", False),
    ],
)
def test_a_typo_is_one_slip_within_a_word_that_is_long_enough(one: str, other: str, expected: bool) -> None:
    assert is_typo(one, other) == is_typo(other, one) == expected


@pytest.mark.parametrize(
    "pair",
    [
        "upload unload", "uploaded unloaded", "uploads unloads", "uploading unloading", "attach attack",
        "insert invert", "inserted inverted", "dairy diary", "prescribe proscribe", "prescribing proscribing",
        "nitrate nitrite", "nitrates nitrites", "infection injection", "exploded explored", "Maria Marie",
    ],
)  # fmt: skip
def test_a_word_for_another_that_is_a_letter_apart_is_no_typo(pair: str) -> None:
    one, other = pair.split()

    assert not same(f"Do not {one} it, please.", f"Do not {other} it, please.")


@pytest.mark.parametrize("pair", sorted(CONFUSED), ids="-".join)
def test_every_pair_of_the_table_would_be_a_typo_in_some_form(pair: tuple[str, str]) -> None:
    forms = ([word + end for word in pair] for end in INFLECTIONS)

    assert any(one_slip_apart(*form) and max(map(len, form)) >= TYPO_CHARS for form in forms)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ([], False)),
        ("7 out of 12, or -1.5", (["7", "12", "-1.5"], False)),
        ("I don't know 3", (["3"], True)),
        ("Do not.", ([], True)),
    ],
)
def test_figures_are_the_numbers_in_order_and_whether_anything_is_denied(
    text: str, expected: tuple[list[str], bool]
) -> None:
    assert figures(text) == expected
