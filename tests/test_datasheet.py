"""The datasheet: its page, its facts, its sample."""

import json
import re
from pathlib import Path

import pytest

from stages import datasheet
from stages.params.release import Card
from stages.rows import accounting, jsonl, parquet_table
from stages.rows.row import KINDS, SPLITS, Chat, Message, Pair, Row, Text, make_row
from tests.conftest import ROOT, Project
from tests.reporting.test_data_audits import PARAMS

CARD = Card(model="sft", name="desk", license="MIT", language=["en"], description="Answers <b>tickets</b>.")
EVIL = "<script>alert(1)</script>"
OUTPUTS = ("data.html", "datasheet.json", "croissant.json", "sample.csv", "sample.html")


def chat(asked: str, answer: str) -> Row:
    return make_row(Chat([Message("user", asked), Message("assistant", answer)]))


CHATS = [chat(EVIL, "=1+1"), chat(EVIL.lower() + " ", "no"), chat("c", "d")]


def run(folder: Path, labels: bool = True) -> str:
    """What the stage says, of three chats, a pair and a text."""
    splits, reports = Path("data/splits"), Path("reports/data")
    given = {"train/chat": CHATS, "train/text": [make_row(Text("text"))], "test/pair": [
        make_row(Pair([Message("user", "q")], [Message("assistant", "a")], [Message("assistant", "b")]))]}  # fmt: skip
    for split in SPLITS:
        for kind in KINDS:
            path = folder / splits / split / f"{kind}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            jsonl.write(path, given.get(f"{split}/{kind}", []))
    (folder / reports).mkdir(parents=True)
    counts = {"in": 5, "out": 5, "dropped": {}}
    balance = {"labels": {"field": None, "rows": 1, "counts": {"d": 1}}} if labels else {}
    sizes = {split: {k: len(given.get(f"{split}/{k}", [])) for k in KINDS} for split in SPLITS}
    told = {
        "ingest": counts, "dedup": {"in": 6, "out": 5, "dropped": {"near_duplicate": 1}},
        "clean": {**counts, **balance, "personal": {"email": {"action": "redact", "rows": 1, "found": 2}}},
        "split": {**counts, "splits": sizes, "contaminated": {}},
    }  # fmt: skip
    for name, report in told.items():
        accounting.write_json(folder / reports / f"{name}.json", report)
    columns = {"id": str, "kept": str, "reason": str, "similarity": float}
    parquet_table.write(folder / "duplicates.parquet", columns, [("x", CHATS[0].id, "near_duplicate", 0.9)])
    (folder / "marks").mkdir()
    (folder / "marks/anna.csv").write_text(f"id,verdict,note\n{CHATS[0].id},wrong,{EVIL}\n{'0' * 24},ok,\n")
    templates = [ROOT / "stages/reporting/templates" / name for name in ("datasheet", "page")]
    return datasheet.main(
        reports / "ingest.json",
        *(reports / f"{name}.json" for name in ("clean", "dedup", "split")),
        Path("duplicates.parquet"), splits, Path("marks"), *templates,
        Path("data.html"), *(Path("reports", name) for name in OUTPUTS[1:]), PARAMS, CARD,
    )  # fmt: skip


@pytest.mark.parametrize("labels", [True, False])
def test_the_page_tells_what_was_found_and_escapes_what_rows_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: bool
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run(tmp_path, labels) == "5 rows, 2 warnings; 1 rows marked; look at reports/data.html"

    told = json.loads(Path("reports/datasheet.json").read_bytes())
    assert {f["audit"]: f["level"] for f in told["findings"] if f["level"] != "ok"} == {
        "conflicting answers": "warning", "duplicates": "warning",
    }  # fmt: skip
    assert told["clusters"] == {"2": 1}
    assert (told["marks"]["rows"], told["marks"]["wrong"], told["marks"]["gone"]) == (1, 1, 1)
    assert told["facts"]["labels"] == ({"d": 1} if labels else {})
    for page in ("data.html", "reports/sample.html"):
        text = Path(page).read_text("utf-8")
        assert EVIL not in text and "&lt;script&gt;" in text
        assert not re.search(r"<script|https?://|@import|url\(", text)
        assert "script-src 'none'" in text or "script-src &#39;none&#39;" in text
    assert "'=1+1" in Path("reports/sample.csv").read_text("utf-8-sig")


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for name in "ab":
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        run(tmp_path / name)
        made.append([Path("data.html").read_bytes(), *(Path("reports", o).read_bytes() for o in OUTPUTS[1:])])

    assert made[0] == made[1]


def test_a_build_has_a_datasheet_of_all_its_rows(built: Project) -> None:
    told = built.json("reports/datasheet.json")

    assert sum(sum(kinds.values()) for kinds in told["rows"].values()) == told["funnel"]["split"]["out"]
    assert told["facts"]["lengths"].keys() == {"chat", "pair", "text"}
    described = built.json("reports/croissant.json")
    assert len(described["distribution"]) == len(described["recordSet"]) == 9
    assert len(built.read("reports/sample.html").split("<article")) == 201
