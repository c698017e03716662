"""A generated row is kept if it is clean, new, and unlike every held-out row."""

from pathlib import Path

import msgspec
import pytest

from stages.augmenting.filtering import SplitRows, filter_contents
from stages.augmenting.teacher import Declined
from stages.params.data import Decontaminate, Near
from stages.rows import jsonl
from stages.rows.row import KINDS, SPLITS, Chat, Content, Message, Pair, Text, make_row
from stages.splitting import contamination
from tests import made_up_cleaning

NEAR = Near(threshold=0.7, shingle_chars=5, permutations=128, bands=21, seed=1, threads=1)
DECONTAMINATE = Decontaminate(sets="", words=8, min_words=3)
CLEAN = made_up_cleaning.params(max_chars=400, refusals=made_up_cleaning.REFUSALS)
HELD_OUT = "The toaster that I bought in your shop last week has a broken lever, who pays for sending it back?"
GOLDEN = "Which of your kettles switches itself off when it is empty, and how long is its cord in metres?"
TRAIN = "My blender smells of burnt rubber after two minutes of use, is it dangerous to go on with it?"
NEW = "Can the waffle iron be cleaned with water while it is warm, or is there a trick to it?"
FRESH = "Do you deliver coffee machines to islands in the North Sea, and what does that cost in winter?"

LONG_ANSWER = "Something else altogether, and at some length, so that the two are not alike as a whole. "


def chat(question: str, answer: str = "Ask the shop, please, they know.") -> Chat:
    return Chat([Message("user", question), Message("assistant", answer)])


def pair(question: str) -> Pair:
    return Pair([Message("user", question)], [Message("assistant", "Yes, gladly.")], [Message("assistant", "No.")])


@pytest.fixture
def existing(tmp_path: Path) -> SplitRows:
    for split in SPLITS:
        (tmp_path / split).mkdir()
        for kind in KINDS:
            (tmp_path / split / f"{kind}.jsonl").touch()
    jsonl.write(tmp_path / "test/chat.jsonl", [make_row(chat(HELD_OUT))])
    jsonl.write(tmp_path / "test/golden.jsonl", [make_row(chat(GOLDEN))])
    jsonl.write(tmp_path / "train/chat.jsonl", [make_row(chat(TRAIN))])
    jsonl.write(tmp_path / "test/text.jsonl", [make_row(Text(NEW))])
    return SplitRows(tmp_path)


def outcomes(existing: SplitRows, *contents: Content | Declined, sets: tuple[str, ...] = ()) -> list[str]:
    """The reason of each dropped content, `kept` for the others."""
    evaluation_sets = contamination.EvaluationSets(DECONTAMINATE)
    for text in sets:
        evaluation_sets.add(text, "set.jsonl:1")
    results = filter_contents(contents, existing, evaluation_sets, Path(), CLEAN, NEAR)
    return [row.reason if isinstance(row, Declined) else "kept" for row, _ in results]


def test_new_rows_are_kept_chats_and_pairs(existing: SplitRows) -> None:
    assert outcomes(existing, chat(NEW), pair(FRESH)) == ["kept", "kept"]


def test_an_attempt_without_a_row_keeps_its_reason(existing: SplitRows) -> None:
    assert outcomes(existing, Declined("cut_off", "too long"), chat(NEW)) == ["cut_off", "kept"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (chat(HELD_OUT, LONG_ANSWER), "asked_in_test"),
        (pair(HELD_OUT.upper()), "asked_in_test"),
        (pair(GOLDEN), "asked_in_test"),
        (chat(HELD_OUT.replace("last week", "last month")), "similar_to_test"),
        (chat(TRAIN), "repeated"),
        (chat(TRAIN.replace("two", "four")), "similar_to_train"),
        (pair(TRAIN), "kept"),  # a pair has the question of the chat that it was generated from
        (chat(NEW, "I can't help you with that."), "refusal"),
        (chat(NEW, ""), "empty_answer"),
        (chat("", "Yes."), "empty_question"),
        (chat(NEW * 6), "over_long"),
    ],
)  # fmt: skip
def test_a_row_is_dropped_with_its_reason(existing: SplitRows, content: Content, reason: str) -> None:
    assert outcomes(existing, content) == [reason]


def test_of_equal_or_similar_rows_the_first_is_kept(existing: SplitRows) -> None:
    other = chat(NEW.replace("warm", "hot"))

    assert outcomes(existing, chat(NEW), chat(NEW), other) == ["kept", "repeated", "similar_to_made"]


def test_a_dropped_row_drops_no_other(existing: SplitRows) -> None:
    similar = HELD_OUT.replace("last week", "last month")

    assert outcomes(existing, chat(similar), chat(f"{similar} {FRESH}")) == ["similar_to_test", "kept"]


def test_a_row_that_an_evaluation_set_contains_is_dropped(existing: SplitRows) -> None:
    assert outcomes(existing, chat(NEW), sets=("can the waffle iron be cleaned with water while it is",)) == [
        "contaminated"
    ]


def test_personal_data_is_redacted_and_the_rule_is_recorded(existing: SplitRows) -> None:
    content = chat(f"{NEW} Write to emma@example.org please.")
    [(row, rules)] = filter_contents(
        [content], existing, contamination.EvaluationSets(DECONTAMINATE), Path(), CLEAN, NEAR
    )

    assert b"[EMAIL]" in msgspec.json.encode(row) and b"emma@" not in msgspec.json.encode(row)
    assert rules == "email"
