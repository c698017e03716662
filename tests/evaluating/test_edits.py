"""Edits change what users write, as much as is declared, and nothing else; the same seed writes the same."""

import random

import msgspec
import pytest

from stages.evaluating import edits
from stages.params.variation import Variant
from stages.rows import parts
from stages.rows.row import Chat, Message, Pair, Row, make_row

KEPT = Variant(rows="x", system_prompt="keep", typos=0.0, spaces=0.0, case="keep", seed=1)
QUESTION = "Please tell me where my parcel with number AB1234 is, I am waiting for weeks"
ROW = make_row(Chat([
    Message("system", "Answer the customer"), Message("user", "Good morning"), Message("assistant", "Good day there"),
    Message("user", QUESTION), Message("assistant", "It will arrive tomorrow"),
]))  # fmt: skip


def edited(row: Row = ROW, **changes: object) -> Row:
    return edits.edited(row, msgspec.structs.replace(KEPT, **changes))


def texts(row: Row, role: str) -> list[str]:
    return [turn.content for turn in parts.split(row.content).turns if turn.role == role]


def test_without_edits_a_row_is_as_it_was() -> None:
    assert edited() == ROW


@pytest.mark.parametrize(
    "changes", [{"typos": 1.0}, {"spaces": 1.0}, {"case": "upper"}, {"case": "lower"}], ids=lambda c: next(iter(c))
)
def test_only_what_users_write_changes(changes: dict[str, object]) -> None:
    row = edited(**changes)

    assert texts(row, "user") != texts(ROW, "user")
    assert (texts(row, "system"), texts(row, "assistant")) == (texts(ROW, "system"), texts(ROW, "assistant"))


def test_slips_are_in_words_of_four_letters_and_never_the_first_letter() -> None:
    words, slipped = QUESTION.split(), texts(edited(typos=1.0), "user")[1].split()

    changed = {word for word, other in zip(words, slipped, strict=True) if word != other}
    assert changed == {"Please", "tell", "where", "parcel", "with", "number", "waiting", "weeks"}
    assert all(word[0] == other[0] for word, other in zip(words, slipped, strict=True))


def test_no_slip_gives_the_same_word() -> None:
    rng = random.Random(1)

    for word in ("aaaa", "abab", "noon", "tree"):
        assert all(edits.slip(word, rng) != word for _ in range(50))


def test_as_many_words_and_gaps_are_edited_as_declared() -> None:
    rows = [make_row(Chat([Message("user", f"{QUESTION} {n}"), Message("assistant", "a")])) for n in range(200)]

    before = [texts(row, "user")[0] for row in rows]
    slipped, spaced = ([texts(edited(row, **{name: 0.25}), "user")[0] for row in rows] for name in ("typos", "spaces"))
    words = [zip(old.split(), new.split(), strict=True) for old, new in zip(before, slipped, strict=True)]
    assert 0.2 < sum(old != new for pairs in words for old, new in pairs) / (200 * 8) < 0.3
    lost = sum(len(old.split()) - len(new.split()) for old, new in zip(before, spaced, strict=True))
    doubled = sum(text.count("  ") for text in spaced)
    assert 0.1 < lost / (200 * 15) < 0.15 and 0.1 < doubled / (200 * 15) < 0.15


def test_case_is_that_of_all_words() -> None:
    assert texts(edited(case="upper"), "user")[1] == QUESTION.upper()
    assert texts(edited(case="lower"), "user")[1] == QUESTION.lower()


def test_system_prompts_are_left_out() -> None:
    row = edited(system_prompt="drop")

    assert texts(row, "system") == [] and texts(row, "user") == texts(ROW, "user")


def test_a_seed_and_a_row_say_what_is_edited() -> None:
    assert edited(typos=0.5) == edited(typos=0.5)
    assert edited(typos=0.5) != edited(typos=0.5, seed=2)


def test_a_pair_keeps_both_answers() -> None:
    answers = ([Message("assistant", text)] for text in ("good one", "bad one"))
    pair = make_row(Pair([Message("user", QUESTION)], *answers))

    row = edited(pair, typos=1.0)
    assert texts(row, "assistant") == ["good one", "bad one"] and texts(row, "user") != [QUESTION]
