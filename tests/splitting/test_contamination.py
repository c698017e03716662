"""Overlaps with evaluation sets are found with the shared words, and nothing else is."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages.params.data import Decontaminate
from stages.rows.row import Chat, Message, make_row
from stages.splitting import contamination
from stages.splitting.contamination import EvaluationSets, Overlap

PARAMS = Decontaminate(sets="", words=4, min_words=2)
WORDS = st.lists(st.sampled_from("abc"), max_size=12)


def evaluation_sets(*texts: str) -> EvaluationSets:
    sets = EvaluationSets(PARAMS)
    for number, text in enumerate(texts, 1):
        sets.add(text, f"e.jsonl:{number}")
    return sets


@pytest.mark.parametrize(
    ("text", "overlap"),
    [
        ("How old is the oldest spider?", ("e.jsonl:1", 5, "old is the oldest spider")),
        ("so OLD, is -- the oldest.", ("e.jsonl:1", 4, "OLD, is -- the oldest")),  # case and punctuation are ignored
        ("old is the young spider", None),  # three words
        ("is the oldest", None),
        ("", None),
        ("two words", ("e.jsonl:3", 2, "two words")),  # shorter than a run: whole
        ("Two words!\n", ("e.jsonl:3", 2, "Two words!")),
        ("two words more", None),
        ("one", None),  # shorter than min_words
    ],
)
def test_the_longest_run_is_given_as_the_text_spells_it(text: str, overlap: tuple | None) -> None:
    sets = evaluation_sets("Tell me: how very old is the oldest spider", "one", "two words")

    assert sets.find_overlap(text) == (overlap and Overlap(*overlap))


def test_the_text_that_has_the_first_words_is_named() -> None:
    assert evaluation_sets("x a b c d", "b c d e").find_overlap("a b c d e").evaluation == "e.jsonl:1"


@given(WORDS, st.lists(WORDS, max_size=3))
def test_an_overlap_is_the_longest_run_whose_ngrams_are_all_in_the_sets(
    text: list[str], others: list[list[str]]
) -> None:
    def runs(words: list[str]) -> set[str]:
        return {" ".join(words[i : i + 4]) for i in range(len(words) - 3)}

    overlap = evaluation_sets(*map(" ".join, others)).find_overlap(" ".join(text))

    expected = [n for n in range(4, len(text) + 1) for i in range(len(text) - n + 1)
                if runs(text[i : i + n]) <= set().union(*map(runs, others))]  # fmt: skip
    whole = 2 <= len(text) < 4 and text in others
    assert (overlap.words if overlap else 0) == (len(text) if whole else max(expected, default=0))


def test_of_a_row_the_longest_overlap_of_its_texts_is_given() -> None:
    row = make_row(Chat([Message("user", "x a b c d"), Message("assistant", "a b c d e f")]))

    assert contamination.find_overlap(row, evaluation_sets("a b c d e")) == Overlap("e.jsonl:1", 5, "a b c d e")
    assert contamination.find_overlap(row, evaluation_sets("a b c")) is None


def test_a_system_prompt_that_a_set_has_too_is_no_overlap() -> None:
    question = [Message("user", "x y"), Message("assistant", "z")]
    system, user = (make_row(Chat([Message(role, "a b c d e"), *question])) for role in ("system", "user"))

    assert contamination.find_overlap(system, evaluation_sets("a b c d e")) is None
    assert contamination.find_overlap(user, evaluation_sets("a b c d e")) == Overlap("e.jsonl:1", 5, "a b c d e")


def test_every_text_of_every_record_is_read_whatever_its_field(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    record = {"task": 7, "choices": {"text": ["one of a kind", "none"], "label": ["A"]}}
    (tmp_path / "deep/mmlu.jsonl").write_text('{"q": null}\n' + json.dumps(record) + "\n")
    (tmp_path / "humaneval.csv").write_text("prompt,solution\ndef f of x and y,return\n")

    sets = contamination.read(tmp_path, PARAMS)

    assert sets.find_overlap("so one of a kind it is") == Overlap("deep/mmlu.jsonl:2", 4, "one of a kind")
    assert sets.find_overlap("f of x and y").evaluation == "humaneval.csv:2"


def test_an_empty_folder_holds_no_sets(tmp_path: Path) -> None:
    (tmp_path / ".gitkeep").touch()

    assert not contamination.read(tmp_path, PARAMS)


def test_texts_about_sets_alone_are_no_sets_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("How old is the oldest spider in the world?")
    (tmp_path / "LICENSE").write_text("How old is the oldest spider in the world?")

    assert not contamination.read(tmp_path, PARAMS)

    (tmp_path / "set.jsonl").write_text('{"x": "How old is the oldest spider?"}')
    assert contamination.read(tmp_path, PARAMS)


def test_a_set_with_a_broken_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").write_text('{"a": "b"}\n{\n')

    with pytest.raises(UserError, match=r"e\.jsonl:2: broken_json: .*: mend the set"):
        contamination.read(tmp_path, PARAMS)
