"""Pairs of rows are found as comparing all would find them, with a memo and without."""

import random
import string
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pytest

from stages.rows.row import Chat, Message, Row, Text, make_row
from stages.similarity.comparison import Comparison
from stages.similarity.shingles import jaccard, shingles
from stages.similarity.sides import sides
from tests.similarity.test_near import NEAR

INSTRUCTION = " ".join(
    f"Rule {n} is that part {n * 7} of the manual holds for every answer of the agent." for n in range(9)
)


def chat(question: str, answer: str) -> Row:
    return make_row(Chat([Message("user", question), Message("assistant", answer)]))


def families(chance: random.Random) -> list[str]:
    """40 random texts of lines, each with a copy of it in which two lines are other ones, and one that lacks them."""
    texts = []
    for _ in range(40):
        words = ["".join(chance.choices(string.ascii_lowercase, k=7)) for _ in range(40)]
        places = chance.sample(range(40), 2)
        less = [word for place, word in enumerate(words) if place not in places]
        other = [word[::-1] if place in places else word for place, word in enumerate(words)]
        texts += [" ;\n".join(copy) for copy in (words, other, less)]
    return texts


def made(seed: int) -> list[Row]:
    """Rows with an instruction in common and without, of which some are alike in question, in answer, or in both."""
    chance = random.Random(seed)
    texts = families(chance)
    answers = (texts[0], texts[2], texts[3])
    questions = (f"{INSTRUCTION}\n\n{text}" if number % 2 else text for number, text in enumerate(texts))
    rows = [chat(question, chance.choice(answers)) for question in questions]
    return sorted(rows, key=lambda row: row.id)


def alike(a: Row, b: Row) -> bool:
    (one, other), ends = (sides(row.content) for row in (a, b)), "\n\n"
    questions = one.question.rpartition(ends), other.question.rpartition(ends)
    texts = [(questions[0][2], questions[1][2]), (one.answer, other.answer)]
    return questions[0][0] == questions[1][0] and all(
        jaccard(shingles(x, 5), shingles(y, 5)) >= 0.85 and (contains(x, y) or contains(y, x)) for x, y in texts
    )


def contains(one: str, other: str) -> bool:
    """Whether all words of `other` are in `one`, in order."""
    words = iter(one.split())
    return all(word in words for word in other.split())


def pairs(rows: Sequence[Row], memo: Path | None = None) -> set[tuple[str, str]]:
    found = Comparison(rows, range(len(rows)), NEAR).like_rows(memo).pairs.tolist()
    return {(rows[a].id, rows[b].id) for a, b in found}


def test_rows_that_are_alike_in_question_and_answer_are_found_and_no_others() -> None:
    rows = made(1)
    expected = {(a.id, b.id) for a, b in combinations(rows, 2) if alike(a, b)}

    assert len(expected) > 10
    assert pairs(rows) == expected


def test_a_search_with_a_memo_finds_the_same_also_where_rows_make_a_text_shared(tmp_path: Path) -> None:
    rows = made(2)
    few = [row for number, row in enumerate(rows) if INSTRUCTION not in sides(row.content).question or number % 9 == 0]

    for chosen in (few, rows, few, rows[::2]):
        assert pairs(chosen, tmp_path) == pairs(chosen)


def test_like_questions_are_found_whatever_is_answered() -> None:
    rows = [chat(f"{INSTRUCTION}\n{name} asks for a {thing}?", f"No {name}.") for name in "abcd" for thing in "wxyz"]
    rows.append(chat(f"{INSTRUCTION}\na asks for  a W?", "Something else."))

    assert Comparison(rows, range(17), NEAR).like_questions(None).pairs.tolist() == [[0, 16]]


def test_a_part_of_the_rows_is_compared_as_these_rows_are() -> None:
    rows = made(3)
    places = list(range(0, len(rows), 2))[::-1]
    found = Comparison(rows, range(len(rows)), NEAR).only(places).like_rows(None)

    assert {frozenset((rows[places[a]].id, rows[places[b]].id)) for a, b in found.pairs.tolist()} == {
        frozenset(pair) for pair in pairs(rows) if all(row in {rows[place].id for place in places} for row in pair)
    }


def test_a_letter_lost_in_a_short_word_or_a_name_is_a_typo_where_the_other_word_is_common() -> None:
    first = "Please send me the parts that I ordered in the shop, by mail, to the house of my brother in {}."
    second = "Where are the parts? I live in {}, and wait since Monday for the courier and the box from the shop."
    rows = [chat(text.format("Dublin"), "ok") for text in (first, second)]
    copies = [chat(text.replace("parts", "prts").format("Dublin"), "ok") for text in (first, second)]
    misspelt = chat(first.format("Dubln"), "ok")
    others = [chat(f"{number} parts for Dublin", "ok") for number in range(10)]

    assert pairs([*rows, *copies, misspelt]) == set()
    assert pairs([*rows, *copies, misspelt, *others]) == {
        (rows[0].id, copies[0].id), (rows[1].id, copies[1].id), (rows[0].id, misspelt.id), (copies[0].id, misspelt.id),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("word", "slip", "others", "typo"),
    [
        ("state", "stte", "{} of the state", True),
        ("state", "stte", "{} estates, overstated", False),
        ("they've", "thy've", "{} that they’ve", True),
        ("state", "stte", "{} **State**", True),
    ],
)
def test_a_word_is_common_where_ten_rows_have_it_as_a_word(word: str, slip: str, others: str, typo: bool) -> None:
    text = "Please write me by mail what {} said on it before I call the shop in the other house once more."
    rows = [chat(text.format(form), "ok") for form in (word, slip)]

    found = pairs([*rows, *(chat(others.format(number), "ok") for number in range(100, 110))])

    assert found == ({(rows[0].id, rows[1].id)} if typo else set())


def test_the_marks_of_code_keep_chats_apart_and_no_texts_to_pretrain_on() -> None:
    codes = ["```\nprint('a')\n```", "```\nprint(‘a’)\n```"]

    for rows, groups in (
        ([chat("Print it.", code) for code in codes], [[0], [1]]),
        ([make_row(Text(code)) for code in codes], [[0, 1]]),
    ):
        assert Comparison(rows, range(2), NEAR).equal_rows() == groups
