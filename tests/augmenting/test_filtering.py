"""What is made stays where it is clean, new, and gives nothing held out away."""

from pathlib import Path

import msgspec
import pytest

from stages.augmenting.filtering import Known, sift
from stages.augmenting.teacher import Declined
from stages.params.data import Decontaminate, Near
from stages.rows import jsonl
from stages.rows.row import KINDS, SPLITS, Chat, Content, Message, Pair, Text, make_row
from stages.splitting import contamination
from tests import made_up_cleaning

NEAR = Near(threshold=0.7, shingle_chars=5, permutations=128, bands=21, seed=1, threads=1)
CLEAN = made_up_cleaning.params(max_chars=400, refusals=["i can't"])
HELD = "The toaster that I bought in your shop last week has a broken lever, who pays for sending it back?"
GOLDEN = "Which of your kettles switches itself off when it is empty, and how long is its cord in metres?"
TRAINED = "My blender smells of burnt rubber after two minutes of use, is it dangerous to go on with it?"
NEW = "Can the waffle iron be cleaned with water while it is warm, or is there a trick to it?"
FRESH = "Do you deliver coffee machines to islands in the North Sea, and what does that cost in winter?"

UNLIKE = "Something else altogether, and at some length, so that the two are not alike as a whole. "


def chat(asked: str, answer: str = "Ask the shop, please, they know.") -> Chat:
    return Chat([Message("user", asked), Message("assistant", answer)])


def pair(asked: str) -> Pair:
    return Pair([Message("user", asked)], [Message("assistant", "Yes, gladly.")], [Message("assistant", "No.")])


@pytest.fixture
def known(tmp_path: Path) -> Known:
    for split in SPLITS:
        (tmp_path / split).mkdir()
        for kind in KINDS:
            (tmp_path / split / f"{kind}.jsonl").touch()
    jsonl.write(tmp_path / "test/chat.jsonl", [make_row(chat(HELD))])
    jsonl.write(tmp_path / "test/golden.jsonl", [make_row(chat(GOLDEN))])
    jsonl.write(tmp_path / "train/chat.jsonl", [make_row(chat(TRAINED))])
    jsonl.write(tmp_path / "test/text.jsonl", [make_row(Text(NEW))])
    return Known(tmp_path)


def sifted(known: Known, *made: Content | Declined, sets: tuple[str, ...] = ()) -> list[str]:
    """Of each its reason, or that it stays."""
    read = contamination.Sets(Decontaminate(sets="", words=8, min_words=3))
    for text in sets:
        read.add(text, "set.jsonl:1")
    found = sift(made, known, read, Path(), CLEAN, NEAR)
    return [row.reason if isinstance(row, Declined) else "stays" for row, _ in found]


def test_a_new_row_stays_as_a_chat_and_as_a_pair(known: Known) -> None:
    assert sifted(known, chat(NEW), pair(FRESH)) == ["stays", "stays"]


def test_what_came_not_goes_with_its_reason(known: Known) -> None:
    assert sifted(known, Declined("cut_off", "too long"), chat(NEW)) == ["cut_off", "stays"]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (chat(HELD, UNLIKE), "asked_in_test"),
        (pair(HELD.upper()), "asked_in_test"),
        (pair(GOLDEN), "asked_in_test"),
        (chat(HELD.replace("last week", "last month")), "similar_to_test"),
        (chat(TRAINED), "repeated"),
        (chat(TRAINED.replace("two", "four")), "similar_to_train"),
        (pair(TRAINED), "stays"),  # what a pair is made of asks the same
        (chat(NEW, "I can't help you with that."), "refusal"),
        (chat(NEW, ""), "empty_answer"),
        (chat("", "Yes."), "empty_question"),
        (chat(NEW * 6), "over_long"),
    ],
)  # fmt: skip
def test_why_a_row_goes(known: Known, made: Content, reason: str) -> None:
    assert sifted(known, made) == [reason]


def test_of_made_rows_that_are_alike_or_the_same_the_first_stays(known: Known) -> None:
    other = chat(NEW.replace("warm", "hot"))

    assert sifted(known, chat(NEW), chat(NEW), other) == ["stays", "repeated", "similar_to_made"]


def test_what_goes_takes_nothing_with_it(known: Known) -> None:
    held = HELD.replace("last week", "last month")

    assert sifted(known, chat(held), chat(f"{held} {FRESH}")) == ["similar_to_test", "stays"]


def test_what_an_evaluation_set_has_goes(known: Known) -> None:
    assert sifted(known, chat(NEW), sets=("can the waffle iron be cleaned with water while it is",)) == ["contaminated"]


def test_personal_data_is_redacted_and_the_rule_is_told(known: Known) -> None:
    made = chat(f"{NEW} Write to emma@example.org please.")
    ((row, rules),) = sift(
        [made], known, contamination.Sets(Decontaminate(sets="", words=8, min_words=3)), Path(), CLEAN, NEAR
    )

    assert b"[EMAIL]" in msgspec.json.encode(row) and b"emma@" not in msgspec.json.encode(row)
    assert rules == "email"
