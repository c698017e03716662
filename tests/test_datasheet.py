"""The datasheet: page, figures, sample."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from stages import datasheet
from stages.params.data import Datasheet
from stages.params.release import Card
from stages.rows import accounting, jsonl, parquet_table
from stages.rows.row import KINDS, SPLITS, Chat, Message, Pair, Row, Text, make_row
from tests.conftest import ROOT, Project
from tests.reporting.test_data_audits import PARAMS

CARD = Card(model="sft", name="desk", license="MIT", language=["en"], description="Answers <b>tickets</b>.")
SCRIPT = "<script>alert(1)</script>"
OUTPUTS = ("data.html", "datasheet.json", "croissant.json", "sample.csv", "sample.html")


def chat(question: str, answer: str) -> Row:
    return make_row(Chat([Message("user", question), Message("assistant", answer)]))


CHATS = [chat(SCRIPT, "=1+1"), chat(SCRIPT.lower() + " ", "no"), chat("c", "d")]


def run(folder: Path, labels: bool = True, params: Datasheet = PARAMS, card: Card = CARD) -> str:
    """Runs the stage on three chats, a pair and a text; returns its line."""
    splits, reports = Path("data/splits"), Path("reports/data")
    rows = {"train/chat": CHATS, "train/text": [make_row(Text("text"))], "test/pair": [
        make_row(Pair([Message("user", "q")], [Message("assistant", "a")], [Message("assistant", "b")]))]}  # fmt: skip
    for split in SPLITS:
        for kind in KINDS:
            path = folder / splits / split / f"{kind}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            jsonl.write(path, rows.get(f"{split}/{kind}", []))
    (folder / reports).mkdir(parents=True)
    counts = {"in": 5, "out": 5, "dropped": {}}
    balance = {"labels": {"field": None, "rows": 1, "counts": {"d": 1}}} if labels else {}
    sizes = {split: {k: len(rows.get(f"{split}/{k}", [])) for k in KINDS} for split in SPLITS}
    unread = {"a.jsonl": {"messages.*.weight": {"records": 3, "example": SCRIPT}}}
    contents = {
        "ingest": {**counts, "unread": unread}, "dedup": {"in": 6, "out": 5, "dropped": {"near_duplicate": 1}},
        "clean": {**counts, **balance, "personal": {"email": {"action": "redact", "rows": 1, "found": 2}}},
        "split": {**counts, "splits": sizes, "contaminated": {}},
    }  # fmt: skip
    for name, report in contents.items():
        accounting.write_json(folder / reports / f"{name}.json", report)
    columns = {"id": str, "kept": str, "reason": str, "similarity": float}
    parquet_table.write(folder / "duplicates.parquet", columns, [("x", CHATS[0].id, "near_duplicate", 0.9)])
    dropped = [("2" * 24, "refusal", f"I cannot {SCRIPT}"), ("1" * 24, "refusal", "No."), ("3" * 24, "over_long", "9")]
    parquet_table.write_drops(folder / "dropped.parquet", [accounting.Drop(*drop) for drop in dropped])
    opposed = [(CHATS[0].id, CHATS[2].id, 0.9), (CHATS[2].id, CHATS[0].id, 0.9)]
    parquet_table.write(folder / "conflicts.parquet", {"id": str, "other": str, "similarity": float}, opposed)
    (folder / "marks").mkdir()
    (folder / "marks/anna.csv").write_text(f"id,verdict,note\n{CHATS[0].id},wrong,{SCRIPT}\n{'0' * 24},ok,\n")
    templates = [ROOT / "stages/reporting/templates" / name for name in ("datasheet", "page")]
    stage_reports = (reports / f"{name}.json" for name in ("ingest", "clean", "dedup", "split"))
    tables = (Path(f"{name}.parquet") for name in ("dropped", "duplicates", "conflicts"))
    inputs = datasheet.Inputs(*stage_reports, *tables, splits, Path("marks"), *templates)
    outputs = datasheet.Outputs(Path("data.html"), *(Path("reports", name) for name in OUTPUTS[1:]))
    return datasheet.main(inputs, outputs, params, card)


@pytest.mark.parametrize("labels", [True, False])
def test_the_page_shows_findings_and_escapes_the_text_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: bool
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run(tmp_path, labels) == (
        "5 rows, 3 warnings, 3 audits had too few rows to tell; 1 rows marked; look at reports/data.html"
    )

    sheet = json.loads(Path("reports/datasheet.json").read_bytes())
    assert [(f["audit"], f["level"]) for f in sheet["findings"]] == [
        ("conflicting answers", "warning"), ("like questions, other answers", "warning"), ("duplicates", "warning"),
        *((name, "too_few") for name in ("length of preferred answers", "length of labels", "dominated labels")),
        ("styles", "ok"),
    ]  # fmt: skip
    page = Path("data.html").read_text("utf-8")
    assert "5 rows, 3 warnings, 3 audits too small to tell</h1>" in page
    assert "3 of 7 audits found something; 3 had too few rows to tell</h2>" in page
    assert page.count('<span class="verdict no">? too few</span>') == 3 and page.count("✓") == 1
    assert sheet["clusters"] == {"2": 1}
    assert list(sheet["cleaned_away"]) == ["refusal", "over_long"]
    refused = sheet["cleaned_away"]["refusal"]
    assert refused == {
        "rows": 2,
        "examples": [{"id": "1" * 24, "detail": "No."}, {"id": "2" * 24, "detail": f"I cannot {SCRIPT}"}],
    }
    assert "messages.*.weight" in page and "refusal: 2 rows" in page
    assert (sheet["marks"]["rows"], sheet["marks"]["wrong"], sheet["marks"]["gone"]) == (1, 1, 1)
    assert sheet["facts"]["labels"] == ({"d": 1} if labels else {})
    for page in ("data.html", "reports/sample.html"):
        text = Path(page).read_text("utf-8")
        assert SCRIPT not in text and "&lt;script&gt;" in text
        assert not re.search(r"<script|https?://|@import|url\(", text)
        assert "script-src 'none'" in text or "script-src &#39;none&#39;" in text
    assert "'=1+1" in Path("reports/sample.csv").read_text("utf-8-sig")


def test_no_licence_language_or_description_is_said_that_nobody_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    card = Card(model="sft", name="desk", license=None, language=None, description=None)

    run(tmp_path, params=msgspec.structs.replace(PARAMS, license=None), card=card)

    page = Path("data.html").read_text("utf-8")
    assert "Licence of the rows: not declared. Language: not declared." in page
    assert "None is declared in <code>card.language</code>." in page and "None" not in page.replace("None is", "")
    description = json.loads(Path("reports/croissant.json").read_bytes())
    assert description["description"] == "Rows that desk learns from and is asked."


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = []
    for name in "ab":
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        run(tmp_path / name)
        outputs.append([Path("data.html").read_bytes(), *(Path("reports", o).read_bytes() for o in OUTPUTS[1:])])

    assert outputs[0] == outputs[1]


def test_the_datasheet_of_a_build_covers_all_rows(built: Project) -> None:
    sheet = built.json("reports/datasheet.json")

    assert sum(sum(kinds.values()) for kinds in sheet["rows"].values()) == sheet["funnel"]["split"]["out"]
    assert sheet["facts"]["lengths"].keys() == {"chat", "pair", "text"}
    croissant = built.json("reports/croissant.json")
    assert len(croissant["distribution"]) == len(croissant["recordSet"]) == 9
    assert len(built.read("reports/sample.html").split("<article")) == 201
