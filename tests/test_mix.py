"""The mix: shares are kept, nothing is shown too often, what is left out is told, and an added row moves few."""

import json
import tempfile
from collections import Counter
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
from stages.rows.row import KINDS, Chat, Message, Pair, Row, Text, make_row

ANY = Targets(general=None, synthetic=None, multi_turn=None, system=None)


def source(*files: str, weight: float = 1, general: bool = False, synthetic: bool = False) -> Source:
    return Source(files=list(files), weight=weight, general=general, synthetic=synthetic)


def params(sources: dict[str, Source], max_epochs: float = 1, targets: Targets = ANY) -> Mix:
    return Mix(sources=sources, max_epochs=max_epochs, seed=42, targets=targets)


def chat(text: str, *, system: bool = False, turns: int = 1) -> Row:
    asked = [Message("system", "Be short.")] * system
    for turn in range(turns):
        asked += [Message("user", f"{text} {turn}"), Message("assistant", "ok")]
    return make_row(Chat(asked))


def run(by_file: dict[str, list[Row]], wanted: Mix) -> tuple[dict[str, list[str]], list[tuple], dict[str, Any], str]:
    """What the stage makes of rows by their files, or augment:METHOD: {kind: ids}, rows left out, report, line."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {row.id: row for given in by_file.values() for row in given}
        places = [(row.id, file, n) for file, given in by_file.items() for n, row in enumerate(given, 1)]
        made = {id: file.removeprefix("augment:") for id, file, _ in places if file.startswith("augment:")}
        for part in ("train", "augmented"):
            (folder / part).mkdir()
            there = [row for row in found.values() if (row.id in made) == (part == "augmented")]
            for kind in KINDS:
                jsonl.write(folder / f"{part}/{kind}.jsonl", [row for row in there if row.kind == kind])
        parquet_table.write(folder / "augmented/parents.parquet", {"id": str, "method": str}, made.items())
        raw = [place for place in places if place[0] not in made]
        parquet_table.write(folder / "sources", {"id": str, "file": str, "line": int}, raw)
        parquet_table.write(folder / "parents", {"id": str, "parent": str, "rules": str}, [])
        out = [folder / file for file in ("mixed", "unmixed", "report")]
        given = [folder / file for file in ("train", "augmented", "sources", "parents")]
        line = mix.main(*given, *out, wanted)
        mixed = {kind: jsonl.read(out[0] / f"{kind}.jsonl") for kind in KINDS}
        assert all(row == Row(row.id, found[row.id].content) for kind in KINDS for row in mixed[kind])
        assert sorted(path.name for path in out[0].iterdir()) == ["chat.jsonl", "pair.jsonl", "text.jsonl"]
        left = [tuple(line.values()) for line in pyarrow.parquet.read_table(out[1]).to_pylist()]
        report = json.loads(out[2].read_bytes())
    return {kind: [row.id for row in found] for kind, found in mixed.items()}, left, report, line


def chats(name: str, n: int) -> list[Row]:
    return [chat(f"{name} {number}") for number in range(n)]


def test_one_source_is_all_rows_once_and_sorted() -> None:
    given = [*chats("a", 5), make_row(Text("t")), make_row(Pair([Message("user", "q")], [Message("assistant", "x")],
             [Message("assistant", "y")]))]  # fmt: skip

    mixed, left, report, line = run({"a.jsonl": given}, params({"all": source("*")}))

    assert mixed["chat"] == sorted(row.id for row in given[:5])
    assert (mixed["text"], mixed["pair"]) == ([given[5].id], [given[6].id])
    assert left == []
    assert (report["in"], report["out"], report["dropped"], report["repeats"]) == (7, 7, {}, 0)
    assert report["kinds"]["text"] == {
        "rows": 1,
        "sources": {"all": {"in": 1, "rows": 1, "share": 1.0, "epochs": 1.0}},
        "shares": {trait: {"share": 0.0, "target": None, "verdict": None} for trait in ("general", "synthetic")},
    }
    assert line == "7 rows in, 7 out, 0 dropped; 0 repeats"


@pytest.mark.parametrize(
    ("there", "weights", "max_epochs", "expected"),
    [
        ({"a": 10, "b": 30}, {"a": 1, "b": 1}, 1, {"a": 10, "b": 10}),  # the small one limits the large one
        ({"a": 10, "b": 30}, {"a": 1, "b": 1}, 1.5, {"a": 15, "b": 15}),
        ({"a": 10, "b": 30}, {"a": 1, "b": 1}, 4, {"a": 20, "b": 20}),  # never more than there are in all
        ({"a": 10, "b": 30}, {"a": 7, "b": 3}, 1, {"a": 10, "b": 4}),  # 14 rows at 0.7 and 0.3: 9.8 and 4.2
        ({"a": 10, "b": 30}, {"a": 1, "b": 0}, 1, {"a": 10, "b": 0}),
        ({"a": 0, "b": 30}, {"a": 9, "b": 1}, 1, {"a": 0, "b": 30}),  # a source without such rows gives its share away
        ({"a": 5, "b": 0}, {"a": 0, "b": 1}, 1, {"a": 0, "b": 0}),
        ({"a": 0, "b": 0}, {"a": 1, "b": 1}, 1, {"a": 0, "b": 0}),
    ],
)  # fmt: skip
def test_sizes_are_the_weights_as_far_as_the_rows_go(
    there: dict[str, int], weights: dict[str, float], max_epochs: float, expected: dict[str, int]
) -> None:
    wanted = params({name: source("*", weight=weight) for name, weight in weights.items()}, max_epochs)

    assert mix.sizes(there, wanted) == expected


def test_a_source_that_is_shown_more_than_once_shows_every_row_before_any_again() -> None:
    own, other = chats("own", 4), chats("other", 10)

    mixed, left, report, line = run(
        {"own.jsonl": own, "more/other.jsonl": other},
        params({"own": source("own*", weight=3), "general": source("*", general=True)}, max_epochs=1.5),
    )

    shown = Counter(mixed["chat"])
    assert sorted(shown[row.id] for row in own) == [1, 1, 2, 2]
    assert sorted(shown[row.id] for row in other) == [0] * 8 + [1] * 2
    assert sorted(left) == sorted((row.id, "over_share", "general: 0.2 epochs") for row in other if not shown[row.id])
    assert (report["in"], report["out"], report["dropped"], report["repeats"]) == (14, 6, {"over_share": 8}, 2)
    assert report["kinds"]["chat"]["sources"] == {
        "own": {"in": 4, "rows": 6, "share": 0.75, "epochs": 1.5},
        "general": {"in": 10, "rows": 2, "share": 0.25, "epochs": 0.2},
    }
    assert report["kinds"]["chat"]["shares"]["general"]["share"] == 0.25
    assert line == "14 rows in, 6 out, 8 dropped (over_share 8); 2 repeats"


def test_a_row_that_stands_in_two_sources_is_of_the_first() -> None:
    both = chat("both")

    _, _, report, _ = run({"b": [both], "a": [both]}, params({"a": source("a"), "b": source("b")}))

    assert list(report["kinds"]["chat"]["sources"]) == ["a"]


def test_shares_are_held_against_their_targets() -> None:
    given = [chat("one"), chat("two", turns=2), chat("three", system=True), chat("four", system=True)]
    targets = Targets(general=(0.1, 0.3), synthetic=None, multi_turn=(0.2, 0.3), system=(0.0, 0.4))

    _, _, report, line = run({"a": given}, params({"all": source("*", synthetic=True)}, targets=targets))

    assert report["kinds"]["chat"]["shares"] == {
        "general": {"share": 0.0, "target": [0.1, 0.3], "verdict": "below"},
        "synthetic": {"share": 1.0, "target": None, "verdict": None},
        "multi_turn": {"share": 0.25, "target": [0.2, 0.3], "verdict": "within"},
        "system": {"share": 0.5, "target": [0.0, 0.4], "verdict": "above"},
    }
    assert line.endswith("chat: general 0.000 is below 0.1 to 0.3; chat: system 0.500 is above 0 to 0.4")


def test_a_raw_file_in_no_source_is_named() -> None:
    with pytest.raises(UserError, match=r"mix.sources: b/c.csv: is in none of them: want every file in a source"):
        run({"b/c.csv": chats("a", 1)}, params({"a": source("a*")}))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=3, max_size=3),
    st.lists(st.sampled_from([0.0, 0.3, 1, 2.5]), min_size=3, max_size=3).filter(any),
    st.sampled_from([1, 1.3, 2, 4]),
)
def test_rows_are_conserved_shares_hold_and_no_row_is_shown_too_often(
    there: list[int], weights: list[float], max_epochs: float
) -> None:
    names = ["a", "b", "c"]
    wanted = params({n: source(n, weight=w) for n, w in zip(names, weights, strict=True)}, max_epochs)
    mixed, left, report, _ = run({n: chats(n, size) for n, size in zip(names, there, strict=True)}, wanted)

    shown = Counter(mixed["chat"])
    assert report["in"] == sum(there) == len(shown) + len(left)
    assert report["out"] == len(shown)
    assert shown.keys().isdisjoint(id for id, _, _ in left)
    assert all(n <= -(-max_epochs // 1) for n in shown.values())
    told = report["kinds"]["chat"]["sources"]
    whole = sum(w for w, size in zip(weights, there, strict=True) if size)
    for name, weight, size in zip(names, weights, there, strict=True):
        if size and whole:
            assert abs(told[name]["rows"] - report["kinds"]["chat"]["rows"] * weight / whole) < 1


def test_an_added_row_changes_few_others() -> None:
    ids = [row.id for row in chats("a", 200)]

    before, after = mix.repeats(ids, 50, 42), mix.repeats([*ids, chat("new").id], 50, 42)

    assert sum(before[id] != after[id] for id in ids) <= 1
    assert mix.repeats(list(reversed(ids)), 50, 42) == before
    assert mix.repeats(ids, 50, 43) != before


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
def test_a_mix_of_nothing_is_refused(change: dict[str, Any], message: str) -> None:
    values = msgspec.to_builtins(params({"all": source("*")})) | change

    assert msgspec.convert(values, Mix).problems() == [message]


def test_a_target_the_wrong_way_round_is_refused() -> None:
    assert msgspec.structs.replace(ANY, system=(0.5, 0.2)).problems() == [
        "system = [0.5, 0.2]: want the least share first"
    ]


def test_what_a_model_made_is_of_its_method_and_synthetic_whatever_its_source() -> None:
    given = {"a.jsonl": chats("a", 6), "augment:rewrite": chats("b", 4), "augment:distill": chats("c", 2)}

    mixed, _, report, _ = run(given, params({"rewritten": source("augment:rewrite"), "all": source("*", weight=2)}))

    chat = report["kinds"]["chat"]
    assert mixed["chat"] == sorted(mixed["chat"]) and len(mixed["chat"]) == 12
    assert {name: (told["in"], told["rows"]) for name, told in chat["sources"].items()} == {
        "rewritten": (4, 4), "all": (8, 8),
    }  # fmt: skip
    assert chat["shares"]["synthetic"]["share"] == 0.5  # the 4 and the 2
