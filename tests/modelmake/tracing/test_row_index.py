"""Tables are recognised by their columns, and remembered when the cache has lost them."""

from typing import Any

import pytest

from modelmake.tracing.history import History
from modelmake.tracing.row_index import RowIndex
from tests.made_up_history import MadeUpProject, jsonl, parquet
from tests.modelmake.tracing.kettle_build import ROWS, consumed


@pytest.mark.parametrize(
    ("kind", "path", "content"),
    [
        ("rows", "a.jsonl", jsonl({"id": "x", "content": {}, "more": 1})),
        ("consumed", "a.jsonl", jsonl({"step": 1, "ids": ["x"]})),
        ("source", "a.parquet", parquet("line file id", (1, "raw.txt", "x"))),
        ("parent", "a.parquet", parquet("id parent", ("x", "y"))),
        ("drop", "a.jsonl", jsonl({"id": "x", "reason": "because"})),
        ("rejected", "a.jsonl", jsonl({"file": "raw.txt", "line": 1, "reason": "because"})),
        ("", "a.jsonl", jsonl({"id": "x"})),
        ("", "a.jsonl", jsonl(5, "text", [["id", "content"]])),
        ("", "a.jsonl", b"no JSON\n"),
        ("", "a.jsonl", b""),
        ("", "a.parquet", parquet("x y", (1, 2))),
    ],
)
def test_a_table_is_known_by_its_columns(project: MadeUpProject, kind: str, path: str, content: bytes) -> None:
    (md5,) = project.stage("any", {}, {path: content}).values()
    project.write()

    assert RowIndex(History(project.root)).kinds()[md5] == kind


def test_facts_of_many_tables_are_stored_once(project: MadeUpProject) -> None:
    lines: list[tuple[Any, ...]] = [(f"row{n}", "raw.txt", n) for n in range(20)]
    tables = {}
    for count in (10, 20):
        tables |= {md5: count for md5 in project.stage(f"of{count}", {}, {
            f"{count}.parquet": parquet("id file line", *lines[:count])
        }).values()}  # fmt: skip
    project.write()

    index = RowIndex(History(project.root))

    facts = index.facts("kind = 'source' AND file = 'raw.txt'")
    assert [(index.id(fact.row), fact.line) for fact in facts] == [(id, line) for id, _, line in lines]
    found = index.tables_with("source", [fact.number for fact in facts])
    assert {md5: len(numbers) for md5, numbers in found.items()} == tables
    assert {md5: len(index.places([md5])) for md5 in tables} == tables


def test_rows_are_counted_and_read_back(project: MadeUpProject) -> None:
    (md5,) = project.stage("any", {}, {"a.jsonl": jsonl(ROWS["e"], ROWS["b"], ROWS["e"])}).values()
    project.write()

    index = RowIndex(History(project.root))

    assert index.count(md5) == 2
    assert index.content(index.row("b")) == ROWS["b"]["content"]
    assert index.row("never") == 0


def test_the_index_remembers_what_the_cache_lost(project: MadeUpProject) -> None:
    project.json("--row", "e")
    project.cached(project.stages["train@sft"]["outs"][1]["md5"]).unlink()

    assert [subject for subject, _, _ in consumed(project.json("--row", "e"))] == ["Second"]


def test_a_corrupt_object_counts_as_absent(project: MadeUpProject) -> None:
    project.cached(project.stages["train@sft"]["outs"][1]["md5"]).write_bytes(jsonl({"step": 1, "ids": ["c"]}))

    report = project.json("--row", "c")

    assert consumed(report) == []
    assert [answer["stage"] for answer in report["unknown"]] == ["train@sft"]
