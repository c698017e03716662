"""Ingest: judged answers stay rows, or become chats, pairs and drops that no bound counts."""

from pathlib import Path

import pytest

from stages.rows.row import Chat, Judged, Message, Pair, make_row
from tests.ingest_run import chat, lines, rated, rows_of, run


def test_a_rated_answer_becomes_a_chat_a_pair_or_a_drop_that_no_bound_counts(tmp_path: Path) -> None:
    files = {
        "a.jsonl": lines(rated("q", "no", False), rated("r", "no", False), rated("q", "yes", True)),
        "test.csv": "prompt,completion,label\nq,no,False\n",
    }

    result = run(tmp_path, files, max_rejected_fraction=0.0)

    pair = Pair([Message("user", "q")], [Message("assistant", "yes")], [Message("assistant", "no")])
    assert rows_of(result, tmp_path) == sorted(map(make_row, (chat("q", "yes"), pair)), key=lambda r: r.id)
    assert sorted(place[1:] for place in result["sources"]) == [("a.jsonl", 1), ("a.jsonl", 3)]
    assert sorted((b["file"], b["line"], b["reason"]) for b in result["rejected"]) == [
        ("a.jsonl", 2, "bad_alone"),
        ("test.csv", 2, "bad_alone"),  # the good answer is in another split
    ]
    assert {b["detail"] for b in result["rejected"]} == {
        "judged bad, and no good answer to the same prompt in its split: no pair can be made"
    }
    assert result["report"] == {
        "in": 4,
        "out": 2,
        "dropped": {"bad_alone": 2},
        "formats": {"a.jsonl": {"kto": 3}, "test.csv": {"kto": 1}},
        "unread": {},
        "left_out": {},
        "notes": {},
    }


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "q", "completion": "no", "label": False},
        {"messages": "q", "response": "no", "rating": "down"},
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "no"}], "kto_tag": False},
        {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "no"}], "label": False},
        {"instruction": "q", "output": "no", "rating": "down"},
    ],
    ids=lambda record: next(iter(record)),
)
@pytest.mark.parametrize("tools", [[], [{"name": "f"}]], ids=["", "tools"])
def test_judged_answers_stay_rows_or_become_chats_and_pairs(tmp_path: Path, record: dict, tools: list) -> None:
    record, good = ({**r, "tools": tools} for r in (record, rated("q", "yes", True)))
    schemas = [{"type": "function", "function": tool} for tool in tools]
    question, yes, no = [Message("user", "q")], [Message("assistant", "yes")], [Message("assistant", "no")]

    rows = run(tmp_path / "1", {"a.jsonl": lines(record, good)}, judged="rows")
    pairs = run(tmp_path / "2", {"a.jsonl": lines(record, good)}, judged="pairs")

    expected = [Judged(question, no, False, schemas), Judged(question, yes, True, schemas)]
    assert rows_of(rows, tmp_path) == sorted(map(make_row, expected), key=lambda row: row.id)
    expected = [Pair(question, yes, no, schemas), Chat([*question, *yes], schemas)]
    assert rows_of(pairs, tmp_path) == sorted(map(make_row, expected), key=lambda row: row.id)


def test_unrated_answers_are_dropped_and_no_bound_counts_them(tmp_path: Path) -> None:
    prompt_record = [{"role": "user", "content": "q"}]
    logged = [{"messages": prompt_record, "response": f"a{n}", "rating": None} for n in range(9)]
    liked, edited = (
        {"messages": prompt_record, "response": "b", "rating": 1},
        {"messages": prompt_record, "response": "c", "edit": "d"},
    )
    disliked = {"messages": prompt_record, "response": "e", "rating": 0}

    result = run(tmp_path, {"log.jsonl": lines(*logged, liked, edited, disliked)}, max_rejected_fraction=0.0)

    turns = {name: [Message("assistant", name)] for name in "bcde"}
    prompt = [Message("user", "q")]
    expected = [
        Chat([*prompt, *turns["b"]]),
        Pair(prompt, turns["d"], turns["c"]),
        Pair(prompt, turns["b"], turns["e"]),
    ]
    assert rows_of(result, tmp_path) == sorted(map(make_row, expected), key=lambda row: row.id)
    assert result["report"] == {
        "in": 12, "out": 3, "dropped": {"unrated": 9}, "formats": {"log.jsonl": {"feedback": 12}}, "unread": {},
        "left_out": {}, "notes": {},
    }  # fmt: skip
    assert [(bad["line"], bad["detail"]) for bad in result["rejected"]] == [
        (n, "neither rated nor edited") for n in range(1, 10)
    ]
