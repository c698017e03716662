"""The mix keeps shares and limits of repetition, reports dropped rows, and changes little by an added row."""

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages import mix
from stages.params.data import Mix, Source, Targets
from stages.rows import jsonl, parquet_table
from stages.rows.row import KINDS, Chat, Judged, Message, Pair, Row, Text, make_row

ANY = Targets(general=None, synthetic=None, multi_turn=None, system=None)


def source(*files: str, weight: float = 1, general: bool = False, synthetic: bool | None = False) -> Source:
    return Source(files=list(files), weight=weight, general=general, synthetic=synthetic)


def params(sources: dict[str, Source], max_epochs: float = 1, targets: Targets = ANY) -> Mix:
    return Mix(sources=sources, max_epochs=max_epochs, seed=42, targets=targets)


def chat(text: str, *, system: bool = False, turns: int = 1) -> Row:
    messages = [Message("system", "Be short.")] * system
    for turn in range(turns):
        messages += [Message("user", f"{text} {turn}"), Message("assistant", "ok")]
    return make_row(Chat(messages))


def run(
    by_file: dict[str, list[Row]], params: Mix, needs: Sequence[str] = ()
) -> tuple[dict[str, list[str]], list[tuple], dict[str, Any], str]:
    """Runs the stage on rows by raw file or augment:METHOD: ({kind: mixed ids}, dropped rows, report, line)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = {row.id: row for part in by_file.values() for row in part}
        lines = [(row.id, file, n) for file, part in by_file.items() for n, row in enumerate(part, 1)]
        methods = {id: file.removeprefix("augment:") for id, file, _ in lines if file.startswith("augment:")}
        for part in ("train", "augmented"):
            (folder / part).mkdir()
            chosen = [row for row in rows.values() if (row.id in methods) == (part == "augmented")]
            for kind in KINDS:
                jsonl.write(folder / f"{part}/{kind}.jsonl", [row for row in chosen if row.kind == kind])
        parquet_table.write(folder / "augmented/parents.parquet", {"id": str, "method": str}, methods.items())
        raw = [line for line in lines if line[0] not in methods]
        parquet_table.write(folder / "sources", {"id": str, "file": str, "line": int}, raw)
        parquet_table.write(folder / "parents", {"id": str, "parent": str, "rules": str}, [])
        out = [folder / file for file in ("mixed", "unmixed", "report")]
        inputs = [folder / file for file in ("train", "augmented", "sources", "parents", "needs")]
        inputs[-1].write_text(json.dumps(needs))
        line = mix.main(*inputs, *out, params)
        mixed = {kind: jsonl.read(out[0] / f"{kind}.jsonl") for kind in KINDS}
        assert all(row == Row(row.id, rows[row.id].content) for kind in KINDS for row in mixed[kind])
        assert sorted(path.name for path in out[0].iterdir()) == [f"{kind}.jsonl" for kind in sorted(KINDS)]
        dropped = [tuple(line.values()) for line in pyarrow.parquet.read_table(out[1]).to_pylist()]
        report = json.loads(out[2].read_bytes())
    return {kind: [row.id for row in part] for kind, part in mixed.items()}, dropped, report, line


def chats(name: str, n: int) -> list[Row]:
    return [chat(f"{name} {number}") for number in range(n)]


def test_a_single_source_gives_all_rows_once_sorted() -> None:
    rows = [*chats("a", 5), make_row(Text("t")), make_row(Pair([Message("user", "q")], [Message("assistant", "x")],
             [Message("assistant", "y")]))]  # fmt: skip

    mixed, dropped, report, line = run({"a.jsonl": rows}, params({"all": source("*")}))

    assert mixed["chat"] == sorted(row.id for row in rows[:5])
    assert (mixed["text"], mixed["pair"]) == ([rows[5].id], [rows[6].id])
    assert dropped == []
    assert (report["in"], report["out"], report["dropped"], report["repeats"]) == (7, 7, {}, 0)
    assert report["kinds"]["text"] == {
        "rows": 1,
        "sources": {"all": {"in": 1, "rows": 1, "share": 1.0, "epochs": 1.0}},
        "shares": {trait: {"share": 0.0, "target": None, "verdict": None} for trait in ("general", "synthetic")},
    }
    assert line == "7 rows in, 7 out, 0 dropped; 0 repeats"


@pytest.mark.parametrize(
    ("available", "weights", "max_epochs", "expected"),
    [
        ({"a": 10, "b": 30}, {"a": 1, "b": 1}, 1, {"a": 10, "b": 10}),  # the small one limits the large one
        ({"a": 10, "b": 30}, {"a": 1, "b": 1}, 1.5, {"a": 15, "b": 15}),
        ({"a": 10, "b": 30}, {"a": 1, "b": 1}, 4, {"a": 20, "b": 20}),  # never more than all rows
        ({"a": 10, "b": 30}, {"a": 7, "b": 3}, 1, {"a": 10, "b": 4}),  # 14 rows at 0.7 and 0.3: 9.8 and 4.2
        ({"a": 10, "b": 30}, {"a": 1, "b": 0}, 1, {"a": 10, "b": 0}),
        ({"a": 0, "b": 30}, {"a": 9, "b": 1}, 1, {"a": 0, "b": 30}),  # an empty source leaves its share to the others
        ({"a": 5, "b": 0}, {"a": 0, "b": 1}, 1, {"a": 0, "b": 0}),
        ({"a": 0, "b": 0}, {"a": 1, "b": 1}, 1, {"a": 0, "b": 0}),
    ],
)  # fmt: skip
def test_source_sizes_follow_the_weights_as_far_as_there_are_rows(
    available: dict[str, int], weights: dict[str, float], max_epochs: float, expected: dict[str, int]
) -> None:
    weighted = params({name: source("*", weight=weight) for name, weight in weights.items()}, max_epochs)

    assert mix.source_sizes(available, weighted) == expected


def test_a_repeated_source_shows_every_row_before_any_twice() -> None:
    own, other = chats("own", 4), chats("other", 10)

    mixed, dropped, report, line = run(
        {"own.jsonl": own, "more/other.jsonl": other},
        params({"own": source("own*", weight=3), "general": source("*", general=True)}, max_epochs=1.5),
    )

    times = Counter(mixed["chat"])
    assert sorted(times[row.id] for row in own) == [1, 1, 2, 2]
    assert sorted(times[row.id] for row in other) == [0] * 8 + [1] * 2
    assert sorted(dropped) == sorted(
        (row.id, "over_share", "general: 0.2 epochs") for row in other if not times[row.id]
    )
    assert (report["in"], report["out"], report["dropped"], report["repeats"]) == (14, 6, {"over_share": 8}, 2)
    assert report["kinds"]["chat"]["sources"] == {
        "own": {"in": 4, "rows": 6, "share": 0.75, "epochs": 1.5},
        "general": {"in": 10, "rows": 2, "share": 0.25, "epochs": 0.2},
    }
    assert report["kinds"]["chat"]["shares"]["general"]["share"] == 0.25
    assert line == "14 rows in, 6 out, 8 dropped (over_share 8); 2 repeats"


@pytest.mark.parametrize(
    ("sources", "wanted"),
    [
        ({"a": source("*"), "b": source("own/*")}, {"b": 2, "a": 1}),  # the longest glob that matches
        ({"a": source("*"), "b": source("x", "*.jsonl")}, {"b": 3}),
        ({"a": source("*", "own/t*"), "b": source("own/*")}, {"a": 2, "b": 1}),
        ({"b": source("own/*"), "a": source("o*n/*", "more/*")}, {"a": 3}),  # as long: the first by name
    ],
)  # fmt: skip
def test_a_row_of_two_sources_belongs_to_the_same_in_whatever_order(
    sources: dict[str, Source], wanted: dict[str, int]
) -> None:
    rows = {"own/talk.jsonl": chats("t", 1), "own/faq.jsonl": chats("f", 1), "more/faq.jsonl": chats("m", 1)}

    mixed = [run(rows, params(order)) for order in (sources, dict(reversed(sources.items())))]

    assert mixed[0] == mixed[1]
    chat_sources = mixed[0][2]["kinds"]["chat"]["sources"]
    assert {name: entry["in"] for name, entry in chat_sources.items()} == wanted


def test_shares_are_compared_with_their_targets() -> None:
    rows = [chat("one"), chat("two", turns=2), chat("three", system=True), chat("four", system=True)]
    targets = Targets(general=(0.1, 0.3), synthetic=None, multi_turn=(0.2, 0.3), system=(0.0, 0.4))

    _, _, report, line = run({"a": rows}, params({"all": source("*", synthetic=True)}, targets=targets))

    assert report["kinds"]["chat"]["shares"] == {
        "general": {"share": 0.0, "target": [0.1, 0.3], "verdict": "below"},
        "synthetic": {"share": 1.0, "target": None, "verdict": None},
        "multi_turn": {"share": 0.25, "target": [0.2, 0.3], "verdict": "within"},
        "system": {"share": 0.5, "target": [0.0, 0.4], "verdict": "above"},
    }
    assert line.endswith("chat: general 0.000 is below 0.1 to 0.3; chat: system 0.500 is above 0 to 0.4")


@pytest.mark.parametrize(
    ("target", "verdict"),
    [((0.0, 0.7), "unknown"), ((0.0, 0.1), "above"), ((0.8, 1.0), "below"), ((0.25, 0.75), "within"), (None, None)],
)
def test_rows_of_a_source_that_does_not_say_it_may_be_synthetic_or_not(target: Any, verdict: str | None) -> None:
    """Of 4 rows 1 is synthetic, 2 may be: from 0.25 to 0.75."""
    sources = {"s": source("s", synthetic=True), "u": source("u", weight=2, synthetic=None), "h": source("h")}
    rows = {"s": chats("s", 1), "u": chats("u", 2), "h": chats("h", 1)}
    targets = Targets(general=None, synthetic=target, multi_turn=None, system=None)

    _, _, report, line = run(rows, params(sources, targets=targets))

    share = report["kinds"]["chat"]["shares"]["synthetic"]
    assert share == {"share": 0.25, "target": target and list(target), "verdict": verdict, "unknown": 0.5}
    assert ("synthetic is not declared of 0.500, so it may be out of 0 to 0.7" in line) == (verdict == "unknown")


def test_a_raw_file_in_no_source_is_named() -> None:
    with pytest.raises(UserError, match=r"mix.sources: b/c.csv: matches no source: want every file in one"):
        run({"b/c.csv": chats("a", 1)}, params({"a": source("a*")}))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "text"])
def test_the_turns_before_the_answer_have_the_traits_of_every_kind(kind: str) -> None:
    prompt, answer = chat("q", system=True, turns=2).content.messages[:-1], [Message("assistant", "ok")]
    contents = {
        "chat": Chat([*prompt, *answer]), "pair": Pair(prompt, answer, answer), "judged": Judged(prompt, answer, True),
    }  # fmt: skip

    _, _, report, _ = run({"a": [make_row(contents[kind])]}, params({"all": source("*")}))

    shares = report["kinds"][kind]["shares"]
    assert {trait: entry["share"] for trait, entry in shares.items()} == {
        "general": 0.0, "synthetic": 0.0, "multi_turn": 1.0, "system": 1.0,
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=3, max_size=3),
    st.lists(st.sampled_from([0.0, 0.3, 1, 2.5]), min_size=3, max_size=3).filter(any),
    st.sampled_from([1, 1.3, 2, 4]),
)
def test_rows_are_conserved_shares_hold_and_no_row_is_shown_too_often(
    available: list[int], weights: list[float], max_epochs: float
) -> None:
    names = ["a", "b", "c"]
    weighted = params({n: source(n, weight=w) for n, w in zip(names, weights, strict=True)}, max_epochs)
    mixed, dropped, report, _ = run({n: chats(n, size) for n, size in zip(names, available, strict=True)}, weighted)

    times = Counter(mixed["chat"])
    assert report["in"] == sum(available) == len(times) + len(dropped)
    assert report["out"] == len(times)
    assert times.keys().isdisjoint(id for id, _, _ in dropped)
    assert all(n <= -(-max_epochs // 1) for n in times.values())
    chats_mixed = report["kinds"]["chat"]
    total = sum(w for w, size in zip(weights, available, strict=True) if size)
    for name, weight, size in zip(names, weights, available, strict=True):
        if size and total:
            assert abs(chats_mixed["sources"][name]["rows"] - chats_mixed["rows"] * weight / total) < 1


def test_an_added_row_changes_few_others() -> None:
    ids = [row.id for row in chats("a", 200)]

    before, after = mix.repetitions(ids, 50, 42), mix.repetitions([*ids, chat("new").id], 50, 42)

    assert sum(before[id] != after[id] for id in ids) <= 1
    assert mix.repetitions(list(reversed(ids)), 50, 42) == before
    assert mix.repetitions(ids, 50, 43) != before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sources": {}}, "sources: none has a weight: want at least one above 0"),
        ({"sources": {"a": {"files": ["*"], "weight": 0, "general": False, "synthetic": False}}},
         "sources: none has a weight: want at least one above 0"),
        ({"sources": {"a": {"files": [], "weight": 1, "general": False, "synthetic": False}}},
         'sources.a.files: is empty: want globs of raw files, such as ["*"]'),
    ],
)  # fmt: skip
def test_a_mix_without_any_source_is_refused(change: dict[str, Any], message: str) -> None:
    values = msgspec.to_builtins(params({"all": source("*")})) | change

    assert msgspec.convert(values, Mix).problems() == [message]


def test_a_reversed_target_is_refused() -> None:
    assert msgspec.structs.replace(ANY, system=(0.5, 0.2)).problems() == [
        "system = [0.5, 0.2]: want the least share first"
    ]


def test_generated_rows_belong_to_their_method_and_are_synthetic() -> None:
    by_file = {"a.jsonl": chats("a", 6), "augment:rewrite": chats("b", 4), "augment:distill": chats("c", 2)}

    mixed, _, report, _ = run(by_file, params({"rewritten": source("augment:rewrite"), "all": source("*", weight=2)}))

    chat = report["kinds"]["chat"]
    assert mixed["chat"] == sorted(mixed["chat"]) and len(mixed["chat"]) == 12
    assert {name: (entry["in"], entry["rows"]) for name, entry in chat["sources"].items()} == {
        "rewritten": (4, 4), "all": (8, 8),
    }  # fmt: skip
    assert chat["shares"]["synthetic"]["share"] == 0.5  # 4 and 2 of 12


def test_kinds_that_are_trained_on_and_have_no_rows_are_all_told_before_any_training() -> None:
    rows = {"a.jsonl": chats("a", 3)}
    everything = params({"all": source("*")})

    assert run(rows, everything, needs=["chat"])[3].startswith("3 rows in")
    with pytest.raises(UserError) as error:
        run(rows, everything, needs=["chat", "pair", "text"])

    assert [line.partition(",")[0] for line in str(error.value).splitlines()] == [
        "mix: no pair to train on", "mix: no text to train on",
    ]  # fmt: skip
    assert "'data/mixed/text.jsonl'): the mix has chat; add such rows" in str(error.value)


def test_rows_of_sources_without_weight_are_not_there_to_train_on() -> None:
    with pytest.raises(UserError, match="mix: no pair to train on"):
        run({"a.jsonl": [pair("q")], "b.jsonl": chats("b", 2)},
            params({"a": source("a*", weight=0), "b": source("b*")}), needs=["pair"])  # fmt: skip


def pair(question: str) -> Row:
    return make_row(Pair([Message("user", question)], [Message("assistant", "x")], [Message("assistant", "y")]))
