"""The benchmark of personal data counts as it says, on a made-up file."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import pii as benchmark
from stages.pii import Span
from tests.conftest import ROOT

LABELLED = [
    {"text": "Mail jo@example.org now", "spans": [{"start": 5, "end": 19, "kind": "e-mail"}]},
    {"text": "Call Jo on five five five", "spans": [{"start": 11, "end": 25, "kind": "PHONE"}]},
    {"text": "or +49 30 1234567", "spans": []},
]


def run(file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "benchmarks/pii.py", str(file), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "labelled.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in LABELLED))
    return path


def test_ours_is_scored_by_kind_and_overall(file: Path) -> None:
    done = run(file, "--json")
    result: dict[str, Any] = json.loads(done.stdout)

    ours = result["tools"]["modelmake"]
    assert result["rows"] == 3
    assert ours["overall"] == {"labelled": 2, "found": 2, "precision": 0.5, "recall": 0.5, "exact": 0.5}
    assert ours["kinds"] == {
        "email": {"labelled": 1, "found": 1, "precision": 1.0, "recall": 1.0, "exact": 1.0},
        "phone": {"labelled": 1, "found": 1, "precision": 0.0, "recall": 0.0, "exact": 0.0},
    }
    assert set(result["tools"]) | set(result["skipped"]) == {"modelmake", "presidio", "scrubadub"}


def test_the_table_says_the_same_and_names_what_is_skipped(file: Path) -> None:
    printed = run(file).stdout

    assert "  overall      precision 0.500  recall 0.500  exact 0.500  of 2 labelled, 2 found\n" in printed
    assert all(f"{name}" in printed for name in ("modelmake: ", "presidio", "scrubadub"))


def test_a_find_that_overlaps_counts_and_one_of_another_kind_or_an_unlabelled_kind_does_not() -> None:
    rows = [benchmark.Row("0123456789", [Span(2, 6, "phone")])]

    def score(*matches: Span) -> dict[str, Any]:
        return benchmark.score(rows, lambda text: list(matches))["overall"]

    assert score(Span(5, 9, "phone")) == {"labelled": 1, "found": 1, "precision": 1.0, "recall": 1.0, "exact": 0.0}
    assert score(Span(6, 9, "phone")) == {"labelled": 1, "found": 1, "precision": 0.0, "recall": 0.0, "exact": 0.0}
    assert score(Span(2, 6, "card")) == {"labelled": 1, "found": 0, "precision": None, "recall": 0.0, "exact": 0.0}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "1: JSONDecodeError: "),
        ('{"text": "a"}', "1: KeyError: 'spans': want {text, spans: [{start, end, kind}]}"),
        ('{"text": "a", "spans": [{"start": 0, "end": 2, "kind": "ip"}]}', "1: span 0 to 2: want it in the text"),
        ("", " no rows: want at least one"),
    ],
)
def test_a_file_that_is_no_labelled_set_is_told_in_a_line(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "labelled.jsonl"
    path.write_text(line + "\n")

    done = run(path)

    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(f"{path}:{told}") and done.stderr.count("\n") == 1
