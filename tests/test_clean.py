"""Cleaning rows: refusals, lengths, rows that cleaning makes equal, and the report."""

import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages import clean
from stages.params.cleaning import Clean, Labels, Languages, Turns
from stages.rows import jsonl
from stages.rows.accounting import Drop
from stages.rows.row import Chat, Content, Function, Judged, Message, Pair, Row, Text, ToolCall, make_row
from tests import made_up_cleaning

PARAMS = made_up_cleaning.params(refusals=made_up_cleaning.REFUSALS)


def answer(text: str, question: str = "q") -> Row:
    return make_row(Chat([Message("user", question), Message("assistant", text)]))


def cleaned(row: Row) -> tuple[Row | Drop, list[str]]:
    return clean.clean(row, PARAMS)[:2]


def run(rows: list[Row], params: Clean = PARAMS) -> dict[str, Any]:
    """Runs the stage: its outputs as plain values."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jsonl.write(folder / "in", rows)
        out = [folder / name for name in ("cleaned", "parents", "dropped", "personal", "report")]
        clean.main(folder / "in", folder / "none", *out, params)
        tables = [[tuple(x.values()) for x in pyarrow.parquet.read_table(t).to_pylist()] for t in out[1:4]]
        assert sorted(path.name for path in folder.iterdir()) == sorted(["in", *(path.name for path in out)])
        return {
            "rows": jsonl.read(out[0]),
            "parents": tables[0],
            "dropped": tables[1],
            "personal": tables[2],
            "report": json.loads(out[4].read_bytes()),
        }


def test_an_answer_that_refuses_drops_its_row_and_is_shown() -> None:
    text = "Sorry, I canâ€™t help. " + "Ask me. " * 2

    expected = "Sorry, I can’t help. " + "Ask me. Ask me."
    for content in (answer(text).content, Pair([Message("user", "q")], [Message("assistant", text)], [BAD])):
        row = make_row(content)
        assert cleaned(row) == (Drop(row.id, "refusal", expected), [])


BAD = Message("assistant", "I can't help.")


@pytest.mark.parametrize(
    "content",
    [
        Chat([Message("user", "I can't help."), BAD, Message("user", "q"), Message("assistant", "a")]),
        Chat([Message("user", "q"), Message("assistant", "I can't help.", train=False)]),
        Chat([Message("user", "q"), Message("assistant", "I can't help.", [ToolCall(Function("f", {}), "function")])]),
        Pair([Message("user", "I can't help.")], [Message("assistant", "good")], [BAD]),
        Judged([Message("user", "q")], [BAD], good=False),
        Text("I can't help."),
    ],
)
def test_only_the_answer_to_learn_can_be_a_refusal(content: Content) -> None:
    assert cleaned(make_row(content)) == (make_row(content), [])


@pytest.mark.parametrize(("chosen", "rejected"), [("a", "a"), ("a", "a \n"), ("to a@b.de", "to c@d.de")])
def test_a_pair_whose_answers_are_equal_once_cleaned_is_dropped(chosen: str, rejected: str) -> None:
    row = make_row(Pair([Message("user", "q")], [Message("assistant", chosen)], [Message("assistant", rejected)]))

    assert cleaned(row)[0] == Drop(
        row.id, "same_answers", "the preferred and the rejected answer say the same once cleaned"
    )


def test_a_good_answer_that_refuses_drops_its_row() -> None:
    row = make_row(Judged([Message("user", "q")], [BAD], good=True))

    assert cleaned(row) == (Drop(row.id, "refusal", "I can't help."), [])


def test_more_refusals_than_declared_stop_the_stage_and_the_commonest_are_shown() -> None:
    refusals = [f"I can't help {word}." for word in ("you", "you", "him", "her", "her", "her", "them")]
    rows = [answer(text, f"question {n}") for n, text in enumerate([*refusals, "a", "a", "a"])]
    unlearnt = [make_row(Text("t")), make_row(Judged([Message("user", "q")], [BAD], good=False))]

    def bounded(fraction: float) -> Clean:
        return made_up_cleaning.params(
            refusals=msgspec.structs.replace(made_up_cleaning.REFUSALS, max_dropped_fraction=fraction)
        )

    assert run([*rows, *unlearnt], bounded(0.7))["report"]["dropped"] == {"refusal": 7}
    with pytest.raises(UserError) as error:
        run([*rows, *unlearnt], bounded(0.69))
    assert str(error.value) == (
        "clean: 7 of 10 answers to learn (70.0 %) are dropped as refusals: want at most clean.refusals."
        'max_dropped_fraction = 0.69; the commonest: 3 rows "I can\'t help her."; 2 rows "I can\'t help you."; '
        '1 rows "I can\'t help him."; if the model should answer so, write refusals: null, or put words of such '
        "answers into unless; if not, raise max_dropped_fraction"
    )


def test_a_row_above_max_chars_is_dropped_and_never_cut() -> None:
    fits, long = answer("a" * 99), answer("a" * 100)

    assert cleaned(fits) == (fits, [])
    assert cleaned(long) == (Drop(long.id, "over_long", "101 characters, at most 100"), [])


@pytest.mark.parametrize(
    ("row", "reason"),
    [(make_row(Text("\0")), "empty_text"), (answer("\x07"), "empty_answer"), (answer("a", "\0"), "empty_question")],
)
def test_a_row_that_cleaning_empties_is_dropped(row: Row, reason: str) -> None:
    drop, _ = cleaned(row)

    assert (drop.id, drop.reason) == (row.id, reason)


MAIL = [make_row(Text(f"to {name}@b.de")) for name in "xyz"]
BY_ID = sorted(MAIL, key=lambda r: r.id)
MASKED = make_row(Text("to [EMAIL]"))


def test_rows_that_cleaning_makes_equal_become_one_row_with_every_parent() -> None:
    assert run(MAIL) == {
        "rows": [MASKED],
        "parents": sorted((MASKED.id, row.id, "email") for row in MAIL),
        "dropped": sorted((row.id, "repeated", f"as {MASKED.id} once cleaned") for row in BY_ID[1:]),
        "personal": sorted((row.id, "email", 1) for row in MAIL),
        "report": {
            "in": 3,
            "out": 1,
            "dropped": {"repeated": 2},
            "changed": {"email": 3},
            "personal": {"email": {"action": "redact", "rows": 3, "found": 3}},
        },
    }


def test_a_row_that_was_clean_before_is_not_dropped_as_repeated() -> None:
    result = run([MASKED, *MAIL])

    assert result["rows"] == [MASKED]
    assert {drop[0] for drop in result["dropped"]} == {row.id for row in MAIL}


@pytest.mark.parametrize("splits", [("train", "test", "val"), ("test", "train", "val"), ("", "val", "test")])
def test_rows_that_cleaning_makes_equal_get_the_strongest_split(splits: tuple[str, ...]) -> None:
    result = run([Row(row.id, row.content, split) for row, split in zip(MAIL, splits, strict=True)])

    assert result["rows"] == [Row(MASKED.id, MASKED.content, "test")]


def test_rows_of_the_source_test_split_that_differ_in_white_space_are_all_kept() -> None:
    rows = [make_row(Text(text), "test") for text in ("\u00e9", "\u00e9\n", " \u00e9", "e\u0301", "\u00e9\0")]

    assert run(rows)["rows"] == sorted(rows, key=lambda r: r.id)


@pytest.mark.parametrize("splits", [("test", "train"), ("train", "test"), ("train", "train")])
def test_rows_of_other_splits_that_differ_in_white_space_become_one(splits: tuple[str, str]) -> None:
    rows = [make_row(Text(text), split) for text, split in zip(("one", "one\n"), splits, strict=True)]

    assert run(rows)["report"]["dropped"] == {"repeated": 1}


def test_a_changed_row_keeps_its_split_and_its_group() -> None:
    changed, _ = cleaned(make_row(Text("a@b.de"), "val", "page"))

    assert changed == make_row(Text("[EMAIL]"), "val", "page")


def test_kinds_that_are_dropped_or_reported_are_counted_by_row_and_not_redacted() -> None:
    mail, call, both = (make_row(Text(text)) for text in ("a@b.de", "+4930123456", "a@b.de c@d.de +4930123456"))
    result = run([mail, call, both], made_up_cleaning.pii(redact=[], drop=["phone"], report=["email"]))

    assert result["rows"] == [mail]
    assert result["dropped"] == sorted((row.id, "personal_data", "phone 1") for row in (call, both))
    assert result["personal"] == sorted(
        [(mail.id, "email", 1), (call.id, "phone", 1), (both.id, "email", 2), (both.id, "phone", 1)]
    )
    assert result["report"]["personal"] == {
        "phone": {"action": "drop", "rows": 2, "found": 2},
        "email": {"action": "report", "rows": 2, "found": 3},
    }


def labelled(label: str, number: int, split: str = "") -> Row:
    row = answer(json.dumps({"intent": label}), f"question {number}")
    return make_row(row.content, split)


def test_a_cap_keeps_the_smallest_ids_of_a_label_and_every_row_of_the_source_test_split() -> None:
    rows = [labelled("a", n) for n in range(5)] + [labelled("b", n) for n in range(2)]
    test = [labelled("a", n, "test") for n in range(10, 13)]
    plain = answer("in words")
    result = run([*rows, *test, plain], made_up_cleaning.params(labels=Labels(field="intent", max_chars=9, max_rows=2)))

    capped = sorted(row.id for row in rows[:5])[2:]
    assert result["dropped"] == [(id, "label_cap", "a: 2 rows of it are kept") for id in capped]
    assert {row.id for row in result["rows"]} == {r.id for r in [*rows, *test, plain]} - set(capped)
    assert result["report"]["labels"] == {
        "field": "intent",
        "rows": 7,
        "largest_share": 0.7143,
        "counts": {"a": 5, "b": 2},
    }
    assert result["report"]["dropped"] == {"label_cap": 3}


def test_a_row_whose_turns_change_has_a_parent() -> None:
    row = make_row(
        Chat([Message("system", "\0"), Message("user", "q"), Message("user", "q"), Message("assistant", "a")])
    )
    result = run([row])

    assert result["rows"] == [answer("a")]
    assert result["parents"] == [(answer("a").id, row.id, "control empty_turn repeated_turn")]


def test_repeated_turns_drop_their_row_if_params_say_so() -> None:
    row = make_row(Chat([Message("user", "q"), Message("user", "q"), Message("assistant", "a")]))

    drop = clean.clean(row, made_up_cleaning.params(turns=Turns(roles="alternating", repeated="drop"))).row

    assert drop == Drop(row.id, "repeated_turn", "a turn, or a question with its answer, stands twice in a row")


WORDS = st.sampled_from(
    ["I can't", "a@b.de", "DE89370400440532013000", "BE68 5390 0754 7034", "4111 1111 1111 1111", "030", "1234567",
     "+49", "(0)", "12", ".", "-", "/", "Ã©", "â€™", "Ã", "©", "\0", "\x85", "e\u0301", "\r", "\n", "AB12", "x",
     "\n```", "\n~~~\n", "    x\n", "\t"]
)  # fmt: skip
TEXTS = st.lists(WORDS | st.text(max_size=3), max_size=8).map(" ".join) | st.lists(WORDS, max_size=5).map("".join)


@settings(max_examples=300)
@given(TEXTS, st.booleans(), st.sampled_from(["prose", "keep"]))
def test_cleaning_a_cleaned_row_changes_nothing(text: str, is_argument: bool, white_space: str) -> None:
    params = msgspec.structs.replace(PARAMS, white_space=white_space)
    call = ToolCall(Function("f", {"x": [text]}), "function")
    chat = Chat([Message("user", "q"), Message("assistant", "", [call], reasoning_content=text)])
    row = clean.clean(make_row(chat if is_argument else Text(text)), params).row

    if isinstance(row, Row):
        assert clean.clean(row, params)[:2] == (row, [])


TURNS = st.lists(st.builds(Message, st.sampled_from(["system", "user", "assistant"]), TEXTS), min_size=1, max_size=5)
ROWS = st.builds(Text, TEXTS) | st.builds(Chat, TURNS) | st.builds(answer, TEXTS).map(lambda row: row.content)
STRICT = msgspec.structs.replace(
    made_up_cleaning.pii(redact=["email"], drop=["iban"], report=["card", "phone"]),
    turns=Turns(roles="alternating", repeated="drop"),
    languages=Languages(allowed=["en"], min_letters=5, min_probability=0.1),
    labels=Labels(field=None, max_chars=12, max_rows=1),
)


@settings(max_examples=120)
@given(
    st.lists(st.builds(make_row, ROWS, st.sampled_from(["", "train", "test"])), unique_by=lambda r: r.id),
    st.sampled_from([PARAMS, STRICT]),
)
def test_every_row_is_kept_or_a_parent_or_dropped_with_a_reason(rows: list[Row], params: Clean) -> None:
    result = run(rows, params)

    out, ids = {row.id for row in result["rows"]}, {row.id for row in rows}
    parents, dropped = {parent: child for child, parent, _ in result["parents"]}, {d[0] for d in result["dropped"]}
    assert ids == (ids & out) | set(parents) | (ids & dropped)
    assert not out & dropped and set(parents.values()) <= out | dropped and out <= ids | set(parents.values())
    assert len(ids) == len(out) + len(dropped) == result["report"]["in"]
    assert all(reason and detail for _, reason, detail in result["dropped"])
