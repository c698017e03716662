"""Published data: `modelmake init FILES` and `dvc repro` build it as it is, first try, no file edited by hand.

`pytest -m slow -rP tests/recipes/test_proposed.py` prints for each set how long it took and how params.yaml changed.
"""

import bz2
import csv
import gzip
import io
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import ROOT, Project, clone

DATA = ROOT.parent / "shared/data"
ROWS = 60  # of each file, or of each split in a file, from all over it

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="no real data in ../shared/data"),
]


def some(rows: list[Any], n: int = ROWS) -> list[Any]:
    return rows[:: max(1, len(rows) // n)][:n]


def of_lines(text: str) -> str:
    return "".join(f"{line}\n" for line in some(text.strip("\n").split("\n")))


def of_csv(text: str) -> str:
    """Of three labels, so that labels repeat as they do in the whole file."""
    columns, *rows = csv.reader(text.splitlines(keepends=True))
    labels = sorted({row[1] for row in rows})[:3]
    kept = [row for label in labels for row in some([r for r in rows if r[1] == label], 20)]
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows([columns, *kept])
    return file.getvalue()


def of_json(text: str) -> str:
    value = json.loads(text)
    if isinstance(value, list):
        return json.dumps(some(value, 3 * ROWS))
    labels = {"translate", "transfer", "timer", "oos"}
    return json.dumps({name: some([row for row in rows if row[1] in labels]) for name, rows in value.items()})


class Case(NamedTuple):
    folder: str
    files: dict[str, Callable[[str], str]]  # those of data, with what takes some rows of their text
    said: list[str]  # among what init says
    params: dict[str, Any]  # {path in params.yaml: value}
    steps: list[str]


CASES = {
    "clinc150": Case(
        "clinc150", {"data_small.json": of_json},
        ["split.test_fraction: data_small.json has test, train, val: they stay as they are",
         "suites.chat.metrics: answers are JSON of intent; intent is the label"],
        {"ingest.raw": "data/clinc150", "suites.chat.label": "intent", "clean.labels.field": "intent",
         "base.source": "data/mixed/chat.jsonl"},
        ["sft"],
    ),
    "banking77": Case(
        "banking77", {"train.csv": of_csv, "test.csv": of_csv},
        ["split.test_fraction: all of test.csv is test, by 'test' in its name; all of train.csv is train, by 'train'",
         "ingest.files: LICENSE: left out: a text about the data, by its name",
         "ingest.files: categories.json: left out: none of its first 77 records can be read: no JSON object"],
        {"split.val_from_train": True, "split.test_fraction": 0.0, "suites.chat.slots": []},
        ["sft"],
    ),
    "gsm8k": Case(
        "gsm8k", {"train.jsonl": of_lines, "test.jsonl": of_lines},
        ["suites.chat.metrics: answers end in #### and a number"],
        {"suites.chat.metrics": ["final_number", "exact_match"], "clean.labels": None, "datasheet.license": None},
        ["sft"],
    ),
    "svamp": Case(
        "svamp", {"SVAMP.json": of_json},
        ["ingest.files: SVAMP.json: completion, by the names of its fields (context: Body, prompt: Question, "
         "completion: Answer)", "split.test_fraction: the source gives none"],
        {"suites.chat.metrics": ["exact_match"], "card.license": None},
        ["sft"],
    ),
    "wikisql": Case(
        "wikisql", {"wikisql.json.bz2": of_json},
        ["ingest.files: wikisql.json.bz2: completion, by the names of its fields (prompt: sentences.*.text, "
         "completion: sql.0, split: sentences.*.question-split)"],
        {"split.val_fraction": 0.0},
        ["sft"],
    ),
    "humaneval": Case(
        "humaneval", {"HumanEval.jsonl.gz": of_lines},
        ["ingest.files: HumanEval.jsonl.gz: completion, by the names of its fields (prompt: prompt, completion: "
         "canonical_solution)", "ingest.files: HumanEval.jsonl.gz: nothing reads entry_point, test"],
        {},
        ["sft"],
    ),
    "pairs": Case(
        "gsm8k_pref", {"pairs.jsonl": of_lines},
        ["base.source: a tiny model, pretrained on the pair rows"],
        {"evaluate.suites": ["pair"], "suites.pair.rows": "pair", "train.dpo.from": "base"},
        ["dpo"],
    ),
}  # fmt: skip
OPEN: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open}


@pytest.mark.parametrize("name", CASES)
def test_published_files_build_to_the_end_at_the_first_try(tmp_path: Path, name: str) -> None:
    case, project = CASES[name], clone(tmp_path)
    (tmp_path / "dvc.lock").unlink()
    raw = tmp_path / "data" / name
    shutil.copytree(DATA / case.folder, raw)
    for file, take in case.files.items():
        opened = OPEN.get(Path(file).suffix, open)
        with opened(raw / file, "rt", encoding="utf-8", newline="") as stream:
            text = take(stream.read())
        with opened(raw / file, "wt", encoding="utf-8", newline="") as stream:
            stream.write(text)
    before = {file.name: file.read_bytes() for file in raw.iterdir()}

    start = time.monotonic()
    command = ("python", "-m", "stages.commands.cli", "init", f"data/{name}", "--recipe", "tiny")
    code, said = project.run(*command)
    assert code == 0, said
    for line in case.said:
        assert any(given.startswith(line) for given in said.splitlines()), f"{line}\n{said}"
    project.repro()
    minutes, difference = (time.monotonic() - start) / 60, project.run("git", "diff", "params.yaml")[1]
    added, removed = (sum(line.startswith(sign) for line in difference.splitlines()) - 1 for sign in "+-")
    print(f"{name}: {minutes:.1f} minutes; params.yaml: {added} lines added, {removed} removed\n{difference}")

    assert {file.name: file.read_bytes() for file in raw.iterdir()} == before, "files are neither moved nor changed"
    values = read_params(project)
    for path, wanted in case.params.items():
        assert value(values, path) == wanted, path
    assert list(values["train"]) == case.steps and values["evaluate"]["models"] == ["base", *case.steps]
    for step in case.steps:
        log = project.json(f"reports/train/{step}.json")
        assert log["in"] == log["out"] > 0, "no row is too long"
    assert (tmp_path / "reports/index.html").is_file() and (tmp_path / "reports/card.md").is_file()
    suite = values["compare"]["suite"]
    assert project.json(f"reports/evaluate/base-{suite}.json")["rows"] > 0


def read_params(project: Project) -> dict[str, Any]:
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load(project.read("params.yaml"))


def value(values: Any, path: str) -> Any:
    for name in path.split("."):
        values = values[name]
    return values
