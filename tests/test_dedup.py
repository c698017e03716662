"""Duplicates are rows that say the same: every dropped row is alike to a kept one, in question and in answer."""

import itertools
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages import dedup
from stages.params.data import Dedup, Near
from stages.rows import jsonl
from stages.rows.row import Chat, Content, Function, Message, Pair, Row, Text, ToolCall, make_row
from stages.similarity.shingles import jaccard, shingles
from stages.similarity.sides import sides

NEAR = Near(threshold=0.85, shingle_chars=5, permutations=128, bands=21, seed=1, threads=1)
PARAMS = Dedup(NEAR, "recipes/no_encoder.json", None, conflicting="keep", max_dropped_fraction=1.0)
LONG = "Where is the toaster that I ordered on Monday? The courier says that it was handed over to a neighbour."
TYPO = LONG.replace("toaster", "toster")
OTHER = "Do you have the frother in black, or is it sold out? I would like to give it to my brother on Friday."


def chat(text: str, split: str = "", answer: str = "ok", system: str = "") -> Row:
    turns = [Message("system", system)] if system else []
    return make_row(Chat([*turns, Message("user", text), Message("assistant", answer)]), split)


def find_duplicates(rows: Sequence[Row], params: Dedup = PARAMS) -> list[dedup.Duplicate]:
    return dedup.find_duplicates(rows, params)[0]


def by_id(*rows: Row) -> list[Row]:
    return sorted(rows, key=lambda r: r.id)


def test_every_copy_but_for_spaces_goes_however_many_there_are() -> None:
    words = LONG.split()
    copies = [chat("  ".join((" ".join(words[:n]), " ".join(words[n:]))), answer="ok" + " " * m)
              for n in range(1, 10) for m in range(9)]  # fmt: skip

    assert len(find_duplicates(copies)) == 80


def test_rows_with_the_same_content_are_exact_duplicates() -> None:
    question, function = Message("user", LONG), Function("lock", {"hour": 7})
    calls = [Message("assistant", "", [ToolCall(function, "function", id)]) for id in "12"]
    kept, dropped = by_id(*(make_row(Chat([question, call])) for call in calls))

    assert find_duplicates([kept, dropped]) == [(dropped.id, kept.id, "exact_duplicate", 1.0)]


def test_a_row_with_a_typo_is_a_near_duplicate_of_the_row_with_the_smallest_id() -> None:
    kept, other = by_id(chat(LONG), chat(TYPO))

    # 99 characters, 95 shingles: the lost letter was in 5 of them, 4 new ones go over the gap: 90 / (95 + 4)
    assert find_duplicates([other, kept, chat(OTHER)]) == [(other.id, kept.id, "near_duplicate", 0.9091)]


@pytest.mark.parametrize("text", [LONG.upper(), TYPO])
@pytest.mark.parametrize(
    ("first", "second", "kept"), [("test", "train", 0), ("val", "train", 0), ("val", "test", 1), ("", "val", 1)]
)
def test_the_row_in_the_strongest_split_is_kept_whatever_its_id(text: str, first: str, second: str, kept: int) -> None:
    for one, two in ((LONG, text), (text, LONG)):
        pair = [chat(one, first), chat(two, second)]
        assert [d[:2] for d in find_duplicates(pair)] == [(pair[1 - kept].id, pair[kept].id)]


def test_no_row_is_dropped_for_a_row_that_is_dropped_itself() -> None:
    links = [chat(LONG), chat(TYPO), chat(TYPO.replace("courier", "courir"))]  # the ends are 85 / 103 alike
    middle_kept = [Row(r.id, r.content, "test" if r is links[1] else "") for r in links]
    end_kept = [Row(r.id, r.content, "test" if r is links[0] else "val" if r is links[1] else "") for r in links]

    assert [d[1:3] for d in find_duplicates(middle_kept)] == [(links[1].id, "near_duplicate")] * 2
    assert [d[:2] for d in find_duplicates(end_kept)] == [(links[1].id, links[0].id)]


def alike(one: Row, other: Row) -> float:
    """The similarity of question or answer, whichever is smaller."""
    texts = [(sides(row.content).question, sides(row.content).answer) for row in (one, other)]
    return min(jaccard(shingles(a, 5), shingles(b, 5)) for a, b in zip(*texts, strict=True))


def test_in_a_row_of_rows_each_like_the_next_every_dropped_one_is_like_its_kept_one() -> None:
    words = [f"{first}{second * 2}word" for first, second in itertools.product("abcdef", "ghijklmnop")]
    rows = [chat("?) ".join(words[step:])) for step in range(0, 24, 2)]
    by_row = {row.id: row for row in rows}
    assert min(alike(a, b) for a, b in itertools.pairwise(rows)) >= 0.85 > alike(rows[0], rows[-1])

    duplicates = find_duplicates(rows)

    kept = by_row.keys() - {duplicate.id for duplicate in duplicates}
    assert 1 < len(kept) < len(rows)
    assert {duplicate.kept for duplicate in duplicates} <= kept
    assert all(alike(by_row[d.id], by_row[d.kept]) == pytest.approx(d.similarity, abs=1e-4) for d in duplicates)
    assert all(d.similarity >= 0.85 for d in duplicates)
    assert not any(alike(by_row[a], by_row[b]) >= 0.85 for a in kept for b in kept if a < b)


SYSTEM = " ".join(
    f"Rule {number} says that the agent answers in part {number * 7} of the manual." for number in range(16)
)
FACTS = [(name, thing) for name in ("Ann", "Bob", "Eve", "Tom", "Zoe") for thing in ("nuts", "pens", "cups", "keys")]


def test_chats_with_one_long_system_prompt_are_told_apart_by_their_questions() -> None:
    assert len(SYSTEM) > 900

    assert find_duplicates([chat(f"Where is {a} with the {b}?", "", "Here.", SYSTEM) for a, b in FACTS]) == []


def test_chats_with_one_long_instruction_on_the_line_of_the_question_do_not_conflict() -> None:
    instruction = SYSTEM.replace(".", ",")
    rows = [chat(f"{instruction} - where is {a} with the {b}?", "", f"{a} is here.") for a, b in FACTS]
    copied, copy = (chat(f"{instruction} - {text}", answer="Here.") for text in (LONG, TYPO))

    assert dedup.find_duplicates(rows, PARAMS) == ([], [])
    assert len(find_duplicates([*rows, copied, copy])) == 1


@pytest.mark.parametrize("end", ["\n\n", "\n", " "])
def test_chats_with_one_long_instruction_are_told_apart_by_the_rest(end: str) -> None:
    rows = [chat(f"{SYSTEM}{end}Where is {a} with the {b}?", "", "Here.") for a, b in FACTS]

    assert find_duplicates(rows) == []


def test_a_copy_of_a_chat_with_a_shared_prompt_is_found() -> None:
    rows = [chat(f"Where is {a} with the {b}?", "", "Here.", SYSTEM) for a, b in FACTS]
    copied, copy = chat(LONG, "val", "Here.", SYSTEM), chat(TYPO, "", "Here.", SYSTEM)

    assert [d[:3] for d in find_duplicates([*rows, copied, copy])] == [(copy.id, copied.id, "near_duplicate")]


def test_chats_whose_system_prompts_differ_are_no_duplicates() -> None:
    assert find_duplicates([chat(LONG, system="Answer as a pirate."), chat(LONG, system="Answer as a judge.")]) == []


def test_puzzles_of_one_template_with_other_facts_and_answers_are_kept() -> None:
    template = "{} went to the market in the morning and bought {} of them for the whole family, and then gave {} away."
    rows = [
        chat(
            template.format(name, n, n // 2), "", f"{name} bought {n} and gave {n // 2} away, so {n - n // 2} are left."
        )
        for name, n in zip(("Ann", "Bob", "Eve", "Tom") * 10, range(10, 50), strict=True)
    ]

    assert find_duplicates(rows) == []


def call(function: str, question: str = LONG, **arguments: Any) -> Row:
    answer = Message("assistant", "", [ToolCall(Function(function, arguments), "function")])
    return make_row(Chat([Message("user", question), answer]))


@pytest.mark.parametrize(
    "other",
    [
        call("unlock", hour=7, loud=True, where="in the kitchen of the house"),
        call("lock", hour=8, loud=True, where="in the kitchen of the house"),
        call("lock", hour=7, loud=False, where="in the kitchen of the house"),
        call("lock", hour=7, loud=None, where="in the kitchen of the house"),
        call("lock", hour="7", loud=True, where="in the kitchen of the house"),
        call("lock", hour=7, loud=True, where="in the kitchen of the  house"),
        call("lock", hour=7, loud=True, where="in the kitchen of the House"),
    ],
)
def test_calls_that_differ_in_anything_are_no_duplicates(other: Row) -> None:
    row = call("lock", hour=7, loud=True, where="in the kitchen of the house")
    alike = call("lock", hour=7, loud=True, where="in the kitchen of the house", question=TYPO)

    assert find_duplicates([row, other]) == []
    assert len(find_duplicates([row, alike])) == 1


def test_chats_with_other_tools_or_masks_are_no_duplicates() -> None:
    turns = [Message("user", OTHER), Message("assistant", "ok"), Message("user", LONG), Message("assistant", "ok")]
    masked = [turns[0], Message("assistant", "ok", train=False), *turns[2:]]
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"n": {"maximum": n}}}} for n in (1, 2)]
    contents = [Chat(turns), Chat(masked), Chat(turns, tools[:1]), Chat(turns, tools[1:])]

    assert find_duplicates([make_row(content) for content in contents]) == []


def test_a_copy_of_a_near_duplicate_points_to_the_kept_row_too() -> None:
    rows = [chat(LONG, "test"), chat(TYPO), chat(TYPO.upper())]

    assert [d[1:] for d in find_duplicates(rows)] == [(rows[0].id, "near_duplicate", 0.9091)] * 2


def test_rows_that_their_source_gave_to_test_are_all_kept() -> None:
    first, second = by_id(chat(LONG, "test"), chat(TYPO, "test"))
    third = chat(LONG.upper(), "val")

    assert [d[:3] for d in find_duplicates([first, second, third])] == [(third.id, first.id, "near_duplicate")]


def test_rows_of_different_kinds_are_never_duplicates() -> None:
    question, answer = [Message("user", LONG)], [Message("assistant", OTHER)]
    contents: list[Content] = [Text(f"{LONG}\n{OTHER}"), Chat(question + answer), Pair(question, answer, answer)]

    assert find_duplicates([make_row(content) for content in contents]) == []


def test_short_and_empty_rows_are_duplicates_only_if_equal() -> None:
    rows = [make_row(Text(text)) for text in ("", " ", "a", "b", "A")]

    assert sorted(d[:2] for d in find_duplicates(rows)) == sorted(
        (dropped.id, kept.id) for kept, dropped in (by_id(*rows[:2]), by_id(rows[2], rows[4]))
    )


WORDS = st.sampled_from(["toaster", "Toaster", "kettle ", "is", "broken", "?"])
TEXTS = st.lists(WORDS, max_size=6).map(" ".join) | st.sampled_from([LONG, TYPO, OTHER, LONG.upper()])
SPLITS = st.sampled_from(["", "train", "val", "test"])
ROWS = st.lists(st.builds(chat, TEXTS, SPLITS) | st.builds(make_row, st.builds(Text, TEXTS), SPLITS), max_size=12)


@settings(max_examples=30)
@given(ROWS, st.randoms(use_true_random=False))
def test_every_row_is_kept_or_points_to_a_kept_row_in_any_order(rows: list[Row], order: random.Random) -> None:
    rows = list({row.id: row for row in rows}.values())
    duplicates = find_duplicates(rows)
    order.shuffle(rows)

    gone, ids = [duplicate.id for duplicate in duplicates], {row.id for row in rows}
    assert find_duplicates(rows) == duplicates
    assert len(gone) == len(set(gone)) and {duplicate.kept for duplicate in duplicates} <= ids - set(gone)
    assert not find_duplicates([row for row in rows if row.id not in gone])


NAMES = ("in", "encoder", "out", "duplicates", "conflicts", "report", "memo")


def test_the_stage_accounts_for_every_row(tmp_path: Path) -> None:
    other = chat(LONG, "", "It is lost.")
    rows = [chat(LONG), chat(TYPO), chat(OTHER), chat(OTHER.upper()), other, make_row(Text(LONG))]
    jsonl.write(tmp_path / "in", rows)

    line = dedup.main(*(tmp_path / name for name in NAMES), PARAMS)

    out = jsonl.read(tmp_path / "out")
    duplicates, conflicts = (pyarrow.parquet.read_table(tmp_path / name).to_pylist() for name in NAMES[3:5])
    assert sorted(d["reason"] for d in duplicates) == ["near_duplicate", "near_duplicate"]
    assert by_id(*rows) == by_id(*out, *(row for row in rows if row.id in {d["id"] for d in duplicates}))
    assert {c["id"] for c in conflicts} == {c["other"] for c in conflicts} > {other.id}
    report = {"in": 6, "out": 4, "dropped": {"near_duplicate": 2}, "clusters": 2, "conflicting": 2}
    assert json.loads((tmp_path / "report").read_bytes()) == report
    assert line == "6 rows in, 4 out, 2 dropped (near_duplicate 2); 2 conflict with a row that asks alike"


def test_the_stage_stops_where_too_many_rows_would_be_dropped_and_shows_the_largest_clusters(tmp_path: Path) -> None:
    jsonl.write(tmp_path / "in", [chat(LONG), chat(LONG.upper()), chat(TYPO), chat(OTHER), chat(OTHER.upper())])
    params = msgspec.structs.replace(PARAMS, max_dropped_fraction=0.5)

    with pytest.raises(UserError) as error:
        dedup.main(*(tmp_path / name for name in NAMES), params)

    message = str(error.value)
    assert message.startswith(
        "dedup: 3 of 5 rows (60.0 %) say what another row says: want at most dedup.max_dropped_fraction = 0.5; "
        "the largest clusters: 3 rows as "
    )
    assert message.index("toster") < message.index("; 2 rows as ") < message.lower().index("do you have the frother")
    assert not (tmp_path / "out").exists()
    dedup.main(*(tmp_path / name for name in NAMES), msgspec.structs.replace(PARAMS, max_dropped_fraction=0.6))
