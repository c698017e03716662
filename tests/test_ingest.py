"""Raw files to canonical rows: the same content gives the same bytes, and what cannot be used is named."""

import json
import random
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages import ingest
from stages.params.data import Documents, Files, Ingest
from stages.reading.formats import READERS
from stages.reading.formats.turns import ROLES
from stages.rows import jsonl
from stages.rows.row import Chat, Message, Pair, Row, Text, make_row
from stages.rows.spill import Spill

Q = {"instruction": "Where is it?", "output": "Here."}
ROW_Q = make_row(Chat([Message("user", "Where is it?"), Message("assistant", "Here.")]))


def run(
    folder: Path,
    files: dict[str, str],
    max_rejected_fraction: float = 1.0,
    documents: Documents | None = None,
    told: list[Files] | None = None,
) -> dict[str, Any]:
    """What ingest makes of these files: its ingested bytes, and the rest as plain values."""
    for name, text in files.items():
        (folder / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "raw" / name).write_text(text, "utf-8", newline="")
    out = [folder / name for name in ("ingested", "sources", "rejected", "report")]
    ingest.main(folder / "raw", *out, Ingest("", told or [], max_rejected_fraction, documents))
    return {
        "bytes": out[0].read_bytes(),
        "sources": [tuple(place.values()) for place in pyarrow.parquet.read_table(out[1]).to_pylist()],
        "rejected": [json.loads(line) for line in out[2].read_text().splitlines()],
        "report": json.loads(out[3].read_bytes()),
    }


def rows_of(result: dict[str, Any], folder: Path) -> list[Row]:
    (folder / "read").write_bytes(result["bytes"])
    return jsonl.read(folder / "read")


def lines(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def test_what_nobody_rated_is_told_and_is_no_fault_of_a_log(tmp_path: Path) -> None:
    asked = [{"role": "user", "content": "q"}]
    logged = [{"messages": asked, "response": f"a{n}", "rating": None} for n in range(9)]
    liked, edited = {"messages": asked, "response": "b", "rating": 1}, {"messages": asked, "response": "c", "edit": "d"}
    disliked = {"messages": asked, "response": "e", "rating": 0}

    result = run(tmp_path, {"log.jsonl": lines(*logged, liked, edited, disliked)}, max_rejected_fraction=0.0)

    turns = {name: [Message("assistant", name)] for name in "bcde"}
    prompt = [Message("user", "q")]
    wanted = [Chat([*prompt, *turns["b"]]), Pair(prompt, turns["d"], turns["c"]), Pair(prompt, turns["b"], turns["e"])]
    assert rows_of(result, tmp_path) == sorted(map(make_row, wanted), key=lambda row: row.id)
    assert result["report"] == {
        "in": 12, "out": 3, "dropped": {"unrated": 9}, "formats": {"log.jsonl": {"feedback": 12}}
    }  # fmt: skip
    assert [(bad["line"], bad["detail"]) for bad in result["rejected"]] == [
        (n, "neither rated nor edited") for n in range(1, 10)
    ]


def test_every_format_becomes_a_row_with_its_place(tmp_path: Path) -> None:
    files = {"a.json": json.dumps([Q]), "sub/b.txt": "one\n\ntwo", "c.jsonl": "\n" + lines({"text": "three"})}

    result = run(tmp_path, files)

    one, two, three = (make_row(Text(t)) for t in ("one", "two", "three"))
    places = [(ROW_Q.id, "a.json", 1), (one.id, "sub/b.txt", 1), (two.id, "sub/b.txt", 3), (three.id, "c.jsonl", 2)]
    assert rows_of(result, tmp_path) == sorted([ROW_Q, one, two, three], key=lambda r: r.id)
    assert result["sources"] == sorted(places)
    assert result["report"] == {
        "in": 4,
        "out": 4,
        "dropped": {},
        "formats": {"a.json": {"alpaca": 1}, "c.jsonl": {"text": 1}, "sub/b.txt": {"text": 2}},
    }


RECORDS = [Q, {"text": "one"}, {"text": "two"}, {"prompt": "q", "chosen": "a", "rejected": "b"}]
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
def test_the_bytes_follow_content_only_and_the_sources_the_places(
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
def test_a_row_given_twice_goes_to_the_split_that_wins(
    tmp_path: Path, names: tuple[str, str], first: str, second: str, split: str
) -> None:
    result = run(tmp_path, dict(zip(names, (json.dumps({s: [Q]}) for s in (first, second)), strict=True)))

    assert rows_of(result, tmp_path) == [Row(ROW_Q.id, ROW_Q.content, split)]
    assert result["sources"] == [(ROW_Q.id, "a.json", 1), (ROW_Q.id, "b.json", 1)]
    assert (result["report"]["in"], result["report"]["dropped"]) == (2, {"repeated": 1})


SHAPE, STR = "wrong_shape", "ValidationError: Expected `str`"
ROLE = f"want one of {', '.join(ROLES)}"
MANUAL = {"path": "a.md", "text": "# One\n\nIt is one.\n\n# Two\n\nIt is two.\n"}
MANUAL_ROWS = [
    *(Text(f"# {name}\n\nIt is {name.lower()}.") for name in ("One", "Two")),
    *(
        Chat([Message("user", f"Which heading does this text stand under?\n\nIt is {name.lower()}."),
              Message("assistant", name)])
        for name in ("One", "Two")
    ),
]  # fmt: skip


@pytest.mark.parametrize(("headings", "kinds"), [(True, 4), (False, 2)])
def test_a_document_becomes_rows_of_its_group_that_are_all_counted(tmp_path: Path, headings: bool, kinds: int) -> None:
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
    }
    assert {place[1:] for place in result["sources"]} == {("a.jsonl", 1), ("a.jsonl", 2)}


@pytest.mark.parametrize(
    ("record", "reason", "detail"),
    [
        ({"path": 3, "text": "x"}, SHAPE, f"document: {STR}, got `int` - at `$.path`"),
        ({"path": "b", "text": None}, SHAPE, f"document: {STR}, got `null` - at `$.text`"),
        ({"path": "b", "text": " \n "}, "empty_text", "text is empty"),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_used_is_one_rejected_record(
    tmp_path: Path, record: dict, reason: str, detail: str
) -> None:
    result = run(tmp_path, {"a.jsonl": lines(MANUAL, record)}, documents=Documents(99, False))

    assert [(bad["line"], bad["reason"], bad["detail"]) for bad in result["rejected"]] == [(2, reason, detail)]
    assert (result["report"]["in"], result["report"]["out"]) == (3, 2)


def test_documents_are_rejected_where_params_say_nothing_of_them(tmp_path: Path) -> None:
    [bad] = run(tmp_path, {"a.jsonl": lines(MANUAL, Q)})["rejected"]

    assert (bad["reason"], bad["detail"]) == (
        "document",
        "ingest.documents is null: say there how documents become rows",
    )


def chat(question: str, answer: str) -> Chat:
    return Chat([Message("user", question), Message("assistant", answer)])


def judged(prompt: str, completion: str, label: object) -> dict[str, Any]:
    return {"prompt": prompt, "completion": completion, "label": label}


def test_a_judged_answer_is_a_chat_a_pair_or_a_drop_that_no_bound_counts(tmp_path: Path) -> None:
    files = {
        "a.jsonl": lines(judged("q", "no", False), judged("r", "no", False), judged("q", "yes", True)),
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
    }


def test_judged_answers_that_cannot_be_used_are_rejected_and_never_the_better_side(tmp_path: Path) -> None:
    result = run(tmp_path, {"a.jsonl": lines(judged("q", "", True), judged("q", "no", False), Q)})

    assert [(b["line"], b["reason"]) for b in result["rejected"]] == [(1, "empty_answer"), (2, "bad_alone")]


TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]


def test_calls_of_tools_and_tools_are_in_the_row(tmp_path: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"n": 1}'}}
    said = [{"role": "user", "content": "q"}, {"role": "assistant", "content": None, "tool_calls": [call]}]

    result = run(tmp_path, {"a.jsonl": lines({"messages": said, "tools": TOOLS})})

    assert json.loads(result["bytes"])["content"] == {
        "kind": "chat",
        "messages": [
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": "",
             "tool_calls": [{"function": {"name": "f", "arguments": {"n": 1}}, "type": "function", "id": "1"}]},
        ],
        "tools": TOOLS,
    }  # fmt: skip


def test_fields_of_a_file_are_taken_for_those_of_a_format(tmp_path: Path) -> None:
    files = {"a/x.jsonl": lines({"Title": "q", "body": {"text": "a"}, "a.b": 1}, {"Title": "q"}), "y.csv": "x\n1\n"}
    told = [Files("a/*", "qa", {"question": "Title", "answer": "body.text"})]

    result = run(tmp_path, files, told=told)

    assert rows_of(result, tmp_path) == [make_row(chat("q", "a"))]
    assert [(b["line"], b["reason"], b["detail"], b["found"]) for b in result["rejected"]] == [
        (2, "no_field", "no field 'body.text' for answer: found ['Title']", '{"Title": "q"}')
    ]
    assert result["report"]["formats"] == {"a/x.jsonl": {"qa": 2}}  # y.csv is left out


@pytest.mark.parametrize(
    "told",
    [
        Files("*", "text", None),  # other fields are ignored where the format is given
        Files("*", None, {"text": "text"}),  # and found by the fields that are taken
    ],
)
def test_a_format_is_given_or_found_by_the_fields_that_are_taken(tmp_path: Path, told: Files) -> None:
    result = run(tmp_path, {"a.jsonl": lines({"text": "t", "url": "u"})}, told=[told])

    assert rows_of(result, tmp_path) == [make_row(Text("t"))]
    assert result["report"]["formats"] == {"a.jsonl": {"text": 1}}


def test_a_format_that_there_is_not_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError) as told:
        run(tmp_path, {"a.jsonl": lines(Q)}, told=[Files("*", None, None), Files("*", "orca", None)])

    assert str(told.value) == f"ingest.files[1].format = 'orca': want one of {', '.join(READERS)}, or null"


def test_fields_of_two_formats_are_rejected_until_one_is_given(tmp_path: Path) -> None:
    both = {"messages": TURNS["messages"], "prompt": "q", "chosen": "a", "rejected": "b"}

    [bad] = run(tmp_path / "1", {"a.jsonl": lines(Q, both)})["rejected"]
    given = run(tmp_path / "2", {"a.jsonl": lines(both)}, told=[Files("*", "pairs", None)])

    assert (bad["reason"], bad["detail"]) == (
        "ambiguous_format",
        "fields ['chosen', 'messages', 'prompt', 'rejected']: messages and pairs have these; name one in ingest.files",
    )
    assert given["report"]["formats"] == {"a.jsonl": {"pairs": 1}}


def test_a_file_that_mixes_formats_is_said_in_the_line_of_counts(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/a.jsonl").write_text(lines(Q, Q, {"text": "t"}, {"x": 1}))
    (tmp_path / "raw/b.jsonl").write_text(lines({"text": "u"}, []))

    line = ingest.main(tmp_path / "raw", *(tmp_path / n for n in "irsj"), Ingest("", [], 1.0, None))

    assert line == (
        "6 rows in, 3 out, 3 dropped (broken_json 1, repeated 1, unknown_format 1); "
        "mixed a.jsonl (alpaca 2, text 1, unknown 1)"
    )


def test_a_file_of_no_format_is_one_line_of_the_error(tmp_path: Path) -> None:
    with pytest.raises(UserError) as told:
        run(tmp_path, {"a.jsonl": lines(*[{"x": 1}] * 40), "b.jsonl": lines(Q, [])}, 0.5)

    assert str(told.value) == (
        f"{tmp_path}/raw: 41 of 42 records unusable: want at most 50.00%; mend them or raise "
        "ingest.max_rejected_fraction\n  a.jsonl: 40 records, all of no one format: say in ingest.files what they are, "
        "or move it elsewhere\n  a.jsonl:1: unknown_format: fields ['x']: no format has these\n"
        "  b.jsonl:2: broken_json: no JSON object"
    )


def test_a_page_is_a_document_whose_path_is_its_name(tmp_path: Path) -> None:
    result = run(tmp_path, {"in/a.md": MANUAL["text"]}, documents=Documents(99, False))

    expected = sorted((make_row(content, "", "in/a.md") for content in MANUAL_ROWS[:2]), key=lambda r: r.id)
    assert rows_of(result, tmp_path) == expected


@pytest.mark.parametrize("budget", [0, 2000])
def test_what_waits_in_memory_never_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: int) -> None:
    files = {"a.jsonl": lines(*RECORDS, *RECORDS, *({"text": str(n)} for n in range(50)))}
    expected = run(tmp_path / "1", files)
    monkeypatch.setattr(Spill.__init__, "__defaults__", (budget,))

    assert run(tmp_path / "2", files) == expected


def test_rows_of_csv_take_the_split_of_their_files_name(tmp_path: Path) -> None:
    files = {
        "train.csv": 'text,category\nhi,greet\n"so\nlong",leave\n',
        "test.csv": "text,category\nbye,leave,x\nbye,leave\n",
    }

    result = run(tmp_path, files)

    found = {row.content.messages[0].content: row.split for row in rows_of(result, tmp_path)}
    assert found == {"hi": "train", "so\nlong": "train", "bye": "test"}
    assert result["rejected"] == [
        {"file": "test.csv", "line": 2, "reason": "broken_csv", "detail": "3 fields: want 2: text, category",
         "found": "bye,leave,x"}
    ]  # fmt: skip
    assert sorted(place[1:] for place in result["sources"]) == [("test.csv", 3), ("train.csv", 2), ("train.csv", 3)]


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        ('{"b": 1, "a": "x"}', "unknown_format", "fields ['a', 'b']: no format has these"),
        ('{"text": 3}', SHAPE, f"text: {STR}, got `int` - at `$.text`"),
        ('{"instruction": "q", "output": null}', SHAPE, f"alpaca: {STR}, got `null` - at `$.messages[1].content`"),
        ('{"conversations": [{"from": "x", "value": "x"}]}', SHAPE, f"sharegpt: ValueError: role 'x': {ROLE}"),
        ('{"messages": [{"role": "x", "content": ""}]}', SHAPE, f"messages: ValueError: role 'x': {ROLE}"),
        ('{"messages": {}}', SHAPE, "messages: TypeError: an object: want a text or a list of messages"),
        ('{"text": 1e999}', SHAPE, f"text: {STR}, got `float` - at `$.text`"),
        ('{"text": " "}', "empty_text", "text is empty"),
        ('{"instruction": "q", "output": ""}', "empty_answer", "the answer is empty"),
    ],
)
def test_what_cannot_be_used_is_kept_whole_with_its_reason(tmp_path: Path, line: str, reason: str, detail: str) -> None:
    result = run(tmp_path, {"a.jsonl": f"{lines(Q)}\n{line}\n"})

    assert result["rejected"] == [{"file": "a.jsonl", "line": 3, "reason": reason, "detail": detail, "found": line}]
    assert result["report"]["dropped"] == {reason: 1}


@pytest.mark.parametrize(
    "line",
    [
        r'{"text": "\ud800"}',  # half a surrogate pair: JSON can spell it, UTF-8 cannot
        r'{"messages": [{"role": "\ud800", "content": "x"}]}',
        '{"text": 1e999}',
        '{"a": 123456789012345678901234567890}',
        '{"messages": ' + "[" * 900 + "]" * 900 + "}",
    ],
)
def test_what_json_can_spell_but_no_row_can_hold_is_rejected(tmp_path: Path, line: str) -> None:
    assert [bad["found"] for bad in run(tmp_path, {"a.jsonl": lines(Q) + line})["rejected"]] == [line]


def test_too_many_rejected_records_are_an_error_that_names_the_first_ten(tmp_path: Path) -> None:
    with pytest.raises(UserError) as told:
        run(tmp_path, {"a.jsonl": lines(*[Q] * 88, *[{"text": ""}] * 9), "b.jsonl": lines([]) * 3}, 0.11)

    named = [f"\n  a.jsonl:{n}: empty_text: text is empty" for n in range(89, 98)]
    assert str(told.value) == (
        f"{tmp_path}/raw: 12 of 100 records unusable: want at most 11.00%; mend them or raise "
        f"ingest.max_rejected_fraction{''.join(named)}\n  b.jsonl:1: broken_json: no JSON object"
    )


@pytest.mark.parametrize("bad", [1, 7, 14, 28, 29, 55, 57, 58])
def test_as_many_rejected_records_as_allowed_pass_and_one_more_does_not(tmp_path: Path, bad: int) -> None:
    files = {"a.jsonl": lines(*[Q] * (100 - bad), *[[]] * bad)}

    assert len(run(tmp_path, files, float(f"0.{bad:02}"))["rejected"]) == bad
    with pytest.raises(UserError, match=f"raw: {bad} of 100 records unusable: want at most {bad - 1}.00%; "):
        run(tmp_path, files, float(f"0.{bad - 1:02}"))


def test_no_usable_record_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError) as told:
        run(tmp_path, {"a.jsonl": "[]\n", "b.txt": ""})

    assert str(told.value) == (
        f"{tmp_path}/raw: 1 records, none usable: want at least one\n  a.jsonl:1: broken_json: no JSON object"
    )


ANY_TEXT = st.sampled_from(["", " ", "a", "b", "\0", "é"])
TURN = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "x"]), "content": ANY_TEXT | st.none()})
ANY_RECORD = st.fixed_dictionaries({"text": ANY_TEXT}) | st.fixed_dictionaries({"messages": st.lists(TURN) | st.none()})


@settings(max_examples=60)
@given(st.lists(ANY_RECORD | st.integers(), max_size=12), st.randoms(use_true_random=False))
def test_every_record_is_a_place_or_rejected_with_a_reason(records: list, order: random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        result = run(Path(folder), {"a.jsonl": lines({"text": "one"}, *records)})
    with tempfile.TemporaryDirectory() as folder:
        order.shuffle(records)
        again = run(Path(folder), {"a.jsonl": lines(*records, {"text": "one"})})

    report, at = result["report"], [place[2] for place in result["sources"]] + [r["line"] for r in result["rejected"]]
    assert sorted(at) == list(range(1, len(records) + 2))
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
            assert "want " in str(error)  # told, and what to do
        else:
            assert report["in"] == report["out"] + sum(report["dropped"].values())
