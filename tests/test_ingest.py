"""Ingest: the same contents give the same rows, and every record has a place or is rejected."""

import json
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages.params.data import Documents, FileRule
from stages.rows.row import Row, Text, make_row
from stages.rows.spill import Spill
from tests.ingest_run import MANUAL, QUESTION, QUESTION_ROW, chat, lines, rows_of, run


def test_records_of_every_container_become_rows_with_their_places(tmp_path: Path) -> None:
    files = {"a.json": json.dumps([QUESTION]), "sub/b.txt": "one\n\ntwo", "c.jsonl": "\n" + lines({"text": "three"})}

    result = run(tmp_path, files)

    one, two, three = (make_row(Text(t)) for t in ("one", "two", "three"))
    places = [
        (QUESTION_ROW.id, "a.json", 1),
        (one.id, "sub/b.txt", 1),
        (two.id, "sub/b.txt", 3),
        (three.id, "c.jsonl", 2),
    ]
    assert rows_of(result, tmp_path) == sorted([QUESTION_ROW, one, two, three], key=lambda r: r.id)
    assert result["sources"] == sorted(places)
    assert result["report"] == {
        "in": 4,
        "out": 4,
        "dropped": {},
        "formats": {"a.json": {"alpaca": 1}, "c.jsonl": {"text": 1}, "sub/b.txt": {"text": 2}},
        "unread": {},
        "left_out": {},
        "notes": {},
    }


RECORDS = [QUESTION, {"text": "one"}, {"text": "two"}, {"prompt": "q", "chosen": "a", "rejected": "b"}]
TURNS = {"messages": [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "Here."}]}


@pytest.mark.parametrize(
    ("files", "moved"),
    [
        pytest.param({"a.jsonl": lines(*RECORDS[::-1])}, True, id="row order"),
        pytest.param({"a.jsonl": lines(*RECORDS, *RECORDS)}, True, id="duplicates"),
        pytest.param({"b.jsonl": lines(*RECORDS[2:]), "z.jsonl": lines(*RECORDS[:2])}, True, id="files"),
        pytest.param({"a.json": json.dumps(RECORDS, indent=3)}, True, id="JSON"),
        pytest.param({"a.jsonl": lines(*[dict(reversed(r.items())) for r in RECORDS])}, False, id="key order"),
        pytest.param({"a.jsonl": lines(TURNS, *RECORDS[1:])}, False, id="another format"),
        pytest.param({"a.jsonl": lines(*RECORDS, ["no record"])}, False, id="a rejected record"),
    ],
)
def test_the_rows_depend_on_contents_only_and_the_sources_on_places(
    tmp_path: Path, files: dict[str, str], moved: bool
) -> None:
    first, second = run(tmp_path / "1", {"a.jsonl": lines(*RECORDS)}), run(tmp_path / "2", files)

    assert second["bytes"] == first["bytes"]
    assert (second["sources"] != first["sources"]) == moved


@pytest.mark.parametrize("names", [("a.json", "b.json"), ("b.json", "a.json")])
@pytest.mark.parametrize(
    ("first", "second", "split"),
    [("train", "test", "test"), ("val", "train", "val"), ("val", "test", "test"), ("data", "train", "train")],
)
def test_a_row_of_two_splits_goes_to_the_stronger_one(
    tmp_path: Path, names: tuple[str, str], first: str, second: str, split: str
) -> None:
    result = run(tmp_path, dict(zip(names, (json.dumps({s: [QUESTION]}) for s in (first, second)), strict=True)))

    assert rows_of(result, tmp_path) == [Row(QUESTION_ROW.id, QUESTION_ROW.content, split)]
    assert result["sources"] == [(QUESTION_ROW.id, "a.json", 1), (QUESTION_ROW.id, "b.json", 1)]
    assert (result["report"]["in"], result["report"]["dropped"]) == (2, {"repeated": 1})


MANUAL_ROWS = [
    *(Text(f"# {name}\n\nIt is {name.lower()}.") for name in ("One", "Two")),
    *(chat(f"Which heading does this text stand under?\n\nIt is {name.lower()}.", name) for name in ("One", "Two")),
]


@pytest.mark.parametrize(("headings", "kinds"), [(True, 4), (False, 2)])
def test_a_document_becomes_rows_of_one_group_that_are_all_counted(tmp_path: Path, headings: bool, kinds: int) -> None:
    result = run(
        tmp_path, {"a.jsonl": lines(MANUAL, {"text": "# One\n\nIt is one."})}, documents=Documents(99, headings)
    )

    expected = sorted((make_row(content, "", "a.md") for content in MANUAL_ROWS[:kinds]), key=lambda r: r.id)
    assert rows_of(result, tmp_path) == expected
    assert result["report"] == {
        "in": kinds + 1,
        "out": kinds,
        "dropped": {"repeated": 1},
        "formats": {"a.jsonl": {"document": 1, "text": 1}},
        "unread": {},
        "left_out": {},
        "notes": {},
    }
    assert {place[1:] for place in result["sources"]} == {("a.jsonl", 1), ("a.jsonl", 2)}


def test_what_is_left_out_and_what_readers_decide_is_told(tmp_path: Path) -> None:
    files = {"in/a.csv": ",text\n0,a\n", "b.csv": "text;label\nx;y\n", "LICENSE": "MIT"}

    result = run(tmp_path, files)

    assert len(result["sources"]) == 2
    assert result["report"]["left_out"] == {"LICENSE": "about the data, by name"}
    assert result["report"]["notes"] == {
        "b.csv": ["a semicolon separates its columns"],
        "in/a.csv": ["the numbers in its column 'column 1' are left out, as the index of pandas"],
    }


def test_the_path_of_a_document_file_is_its_name(tmp_path: Path) -> None:
    result = run(tmp_path, {"in/a.md": MANUAL["text"]}, documents=Documents(99, False))

    expected = sorted((make_row(content, "", "in/a.md") for content in MANUAL_ROWS[:2]), key=lambda r: r.id)
    assert rows_of(result, tmp_path) == expected


TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]


def test_tools_and_tool_calls_are_in_the_row(tmp_path: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"n": 1}'}}
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": None, "tool_calls": [call]}]

    result = run(tmp_path, {"a.jsonl": lines({"messages": turns, "tools": TOOLS})})

    assert json.loads(result["bytes"])["content"] == {
        "kind": "chat",
        "messages": [
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": "",
             "tool_calls": [{"function": {"name": "f", "arguments": {"n": 1}}, "type": "function", "id": "1"}]},
        ],
        "tools": TOOLS,
    }  # fmt: skip


@pytest.mark.parametrize("budget_bytes", [0, 2000])
def test_the_memory_budget_does_not_change_the_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget_bytes: int
) -> None:
    files = {"a.jsonl": lines(*RECORDS, *RECORDS, *({"text": str(n)} for n in range(50)))}
    expected = run(tmp_path / "1", files)
    monkeypatch.setattr(Spill.__init__, "__defaults__", (budget_bytes,))

    assert run(tmp_path / "2", files) == expected


def test_rows_of_csv_have_the_split_of_the_file_name(tmp_path: Path) -> None:
    files = {
        "train.csv": 'text,category\nhi,greet\n"so\nlong",leave\n',
        "test.csv": "text,category\nbye,leave,x\nbye,leave\n",
    }

    result = run(tmp_path, files)

    splits = {row.content.messages[0].content: row.split for row in rows_of(result, tmp_path)}
    assert splits == {"hi": "train", "so\nlong": "train", "bye": "test"}
    assert result["rejected"] == [
        {"file": "test.csv", "line": 2, "reason": "broken_csv", "detail": "3 fields: want 2: text, category",
         "found": "bye,leave,x"}
    ]  # fmt: skip
    assert sorted(place[1:] for place in result["sources"]) == [("test.csv", 3), ("train.csv", 2), ("train.csv", 3)]


ANY_TEXT = st.sampled_from(["", " ", "a", "b", "\0", "é"])
TURN = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "x"]), "content": ANY_TEXT | st.none()})
ANY_RECORD = st.fixed_dictionaries({"text": ANY_TEXT}) | st.fixed_dictionaries({"messages": st.lists(TURN) | st.none()})


@settings(max_examples=60)
@given(st.lists(ANY_RECORD | st.integers(), max_size=12), st.randoms(use_true_random=False))
def test_every_record_has_a_place_or_is_rejected_with_a_reason(records: list, order: random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        result = run(Path(folder), {"a.jsonl": lines({"text": "one"}, *records)})
    with tempfile.TemporaryDirectory() as folder:
        order.shuffle(records)
        again = run(Path(folder), {"a.jsonl": lines(*records, {"text": "one"})})

    report = result["report"]
    places = [place[2] for place in result["sources"]] + [bad["line"] for bad in result["rejected"]]
    assert sorted(places) == list(range(1, len(records) + 2))
    assert all(bad["reason"] and bad["detail"] for bad in result["rejected"])
    assert report["in"] == len(records) + 1 == report["out"] + sum(report["dropped"].values())
    assert report["out"] == result["bytes"].count(b"\n") == len({place[0] for place in result["sources"]})
    assert again["bytes"] == result["bytes"]


@settings(max_examples=60)
@given(st.text(), st.sampled_from([".json", ".jsonl", ".csv", ".txt"]))
def test_no_text_ends_ingest_in_a_traceback(text: str, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            report = run(Path(folder), {f"a{suffix}": text})["report"]
        except UserError as error:
            assert "want " in str(error)  # with what to do
        else:
            assert report["in"] == report["out"] + sum(report["dropped"].values())


def test_splits_of_names_and_fields_are_not_taken_if_params_say_so(tmp_path: Path) -> None:
    record = '{"question": "Why?", "answer": "So.", "part": "test"}\n'
    rules = [FileRule("*", "qa", {"question": "question", "answer": "answer", "split": "part"}, [])]

    found = [rows_of(run(tmp_path / taken, {"my_train.jsonl": record}, rules=rules, splits=taken), tmp_path / taken)
             for taken in ("given", "none")]  # fmt: skip

    assert [[row.split for row in rows] for rows in found] == [["test"], [""]]
