"""What is reported of a file is what `ingest` does with it."""

import json
from collections import Counter
from pathlib import Path

import msgspec

from modelmake import params as params_file
from stages.commands import file_report
from stages.params.cleaning import Clean
from stages.params.data import FileRule, Ingest
from tests import ingest_run
from tests.conftest import ROOT

CLEANING = msgspec.structs.replace(
    params_file.section(params_file.load(ROOT / "recipes/default.yaml"), "clean", Clean, "default"),
    refusals=None, max_chars=10**6, max_tokens=None,
)  # fmt: skip


def test_entries_of_ingest_files_choose_the_files_of_a_folder_as_ingest_does(tmp_path: Path) -> None:
    for name in ("a.jsonl", "sub/b.jsonl", "c.xlsx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('{"q": "Why?", "a": "So."}\n')
    rule = FileRule("*.jsonl", "qa", {"question": "q", "answer": "a"}, [])
    params = Ingest(str(tmp_path), [rule], 0.0, None, "pairs", "given")

    chosen = file_report.list_files(tmp_path, params)
    below = file_report.list_files(tmp_path / "sub", params)

    assert [(file.name, file.rule) for file in chosen.files] == [("a.jsonl", rule), ("sub/b.jsonl", rule)]
    assert chosen.left_out == {"c.xlsx": "no entry of ingest.files fits its name"}
    assert [(file.name, file.rule) for file in below.files] == [("sub/b.jsonl", rule)]


MIXED = {
    "a.jsonl": '{"question": "q", "answer": "a"}\n{"text": "t"}\n{"x": 1}\n{\n{"prompt": "p", "completion": ""}\n',
    "table.csv": ",text;label\n",
    "b.csv": ',text,label\n0,"a, b",x\n1,c,y\n2,d\n',
    "c.csv": "text;category\na;x\nb;y\n",
    "d.json": '{"version": 1, "data": [{"text": "one"}, {"text": "one"}, 7]}',
    "e.json": '{"text": "two"}\n{"text": "three"}\n',
    "kto.jsonl": "".join(
        json.dumps({"prompt": p, "completion": c, "label": good}) + "\n"
        for p, c, good in (("Hi", "Hello!", True), ("Hi", "GO!", False), ("Bye", "GO!", False))
    ),
    "log.jsonl": "".join(
        json.dumps({"messages": question, "response": "a", "rating": rating}) + "\n"
        for question, rating in (("q2", None), ("q3", 1))
    ),
    "prose_test.txt": "One.\n\nTwo.\n",
    "LICENSE": "MIT",
    "README.md": "# Data",
}


def test_check_and_ingest_count_alike(tmp_path: Path) -> None:
    result = ingest_run.run(tmp_path, MIXED)
    params = Ingest(str(tmp_path / "raw"), [], 1.0, None, "pairs", "given")
    listing = file_report.list_files(tmp_path / "raw", params)
    reports = [file_report.read(file, 0, params, CLEANING) for file in listing.files]

    dropped = Counter[str]()
    for report in reports:
        assert not report.unreadable
        for problem in report.problems.values():
            assert problem.stage == "ingest"
            dropped[problem.reason] += problem.records
    assert dropped == result["report"]["dropped"]
    assert sum(report.rows for report in reports) == result["report"]["out"]
    assert sum(report.records for report in reports) == result["report"]["in"]
    assert listing.left_out == result["report"]["left_out"]
    told = {report.file: report.notes for report in reports if report.notes}
    assert told == result["report"]["notes"]
