"""What shares a run of words with an evaluation set is found, with the words; nothing else is."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages.params.data import Decontaminate
from stages.rows.row import Chat, Message, make_row
from stages.splitting import contamination
from stages.splitting.contamination import Sets, Shared

PARAMS = Decontaminate(sets="", words=4, min_words=2)
WORDS = st.lists(st.sampled_from("abc"), max_size=12)


def sets(*texts: str) -> Sets:
    found = Sets(PARAMS)
    for number, text in enumerate(texts, 1):
        found.add(text, f"e.jsonl:{number}")
    return found


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("How old is the oldest spider?", ("e.jsonl:1", 5, "old is the oldest spider")),
        ("so OLD, is -- the oldest.", ("e.jsonl:1", 4, "OLD, is -- the oldest")),  # case and signs do not count
        ("old is the young spider", None),  # three words
        ("is the oldest", None),
        ("", None),
        ("two words", ("e.jsonl:3", 2, "two words")),  # shorter than a run: whole
        ("Two words!\n", ("e.jsonl:3", 2, "Two words!")),
        ("two words more", None),
        ("one", None),  # shorter than min_words
    ],
)
def test_the_longest_run_is_told_as_the_text_has_it(text: str, shared: tuple | None) -> None:
    found = sets("Tell me: how very old is the oldest spider", "one", "two words").find(text)

    assert found == (shared and Shared(*shared))


def test_the_set_that_has_the_first_words_is_named() -> None:
    assert sets("x a b c d", "b c d e").find("a b c d e").evaluation == "e.jsonl:1"


@given(WORDS, st.lists(WORDS, max_size=3))
def test_a_match_is_there_where_any_run_is_in_both(text: list[str], others: list[list[str]]) -> None:
    def runs(words: list[str]) -> set[str]:
        return {" ".join(words[i : i + 4]) for i in range(len(words) - 3)}

    found = sets(*map(" ".join, others)).find(" ".join(text))

    expected = [n for n in range(4, len(text) + 1) for i in range(len(text) - n + 1)
                if runs(text[i : i + n]) <= set().union(*map(runs, others))]  # fmt: skip
    whole = 2 <= len(text) < 4 and text in others
    assert (found.words if found else 0) == (len(text) if whole else max(expected, default=0))


def test_of_a_row_the_text_that_shares_most_is_told() -> None:
    row = make_row(Chat([Message("user", "x a b c d"), Message("assistant", "a b c d e f")]))

    assert contamination.find(row, sets("a b c d e")) == Shared("e.jsonl:1", 5, "a b c d e")
    assert contamination.find(row, sets("a b c")) is None


def test_every_text_of_every_record_counts_whatever_its_fields(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    record = {"task": 7, "choices": {"text": ["one of a kind", "none"], "label": ["A"]}}
    (tmp_path / "deep/mmlu.jsonl").write_text('{"q": null}\n' + json.dumps(record) + "\n")
    (tmp_path / "humaneval.csv").write_text("prompt,solution\ndef f of x and y,return\n")

    found = contamination.read(tmp_path, PARAMS)

    assert found.find("so one of a kind it is") == Shared("deep/mmlu.jsonl:2", 4, "one of a kind")
    assert found.find("f of x and y").evaluation == "humaneval.csv:2"


def test_an_empty_folder_is_no_set(tmp_path: Path) -> None:
    (tmp_path / ".gitkeep").touch()

    assert not contamination.read(tmp_path, PARAMS)


def test_a_set_with_a_broken_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").write_text('{"a": "b"}\n{\n')

    with pytest.raises(UserError, match=r"e\.jsonl:2: broken_json: .*: mend the set"):
        contamination.read(tmp_path, PARAMS)
