"""Runs `ingest` on files made of records."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet

from stages import ingest
from stages.params.data import Documents, FileRule, Ingest
from stages.rows import jsonl
from stages.rows.row import Chat, Message, Row, make_row

QUESTION = {"instruction": "Where is it?", "output": "Here."}
QUESTION_ROW = make_row(Chat([Message("user", "Where is it?"), Message("assistant", "Here.")]))
MANUAL = {"path": "a.md", "text": "# One\n\nIt is one.\n\n# Two\n\nIt is two.\n"}


def run(
    folder: Path,
    files: dict[str, str],
    max_rejected_fraction: float = 1.0,
    documents: Documents | None = None,
    rules: list[FileRule] | None = None,
    judged: str = "pairs",
    splits: str = "given",
) -> dict[str, Any]:
    """The outputs of ingest: the bytes of the rows, the others as plain values."""
    for name, text in files.items():
        (folder / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "raw" / name).write_text(text, "utf-8", newline="")
    ingested, sources, rejected, report = (folder / name for name in ("ingested", "sources", "rejected", "report"))
    params = Ingest("", rules or [], max_rejected_fraction, documents, judged, splits)
    ingest.main(folder / "raw", ingested, sources, rejected, report, params)
    return {
        "bytes": ingested.read_bytes(),
        "sources": [tuple(place.values()) for place in pyarrow.parquet.read_table(sources).to_pylist()],
        "rejected": [json.loads(line) for line in rejected.read_text().splitlines()],
        "report": json.loads(report.read_bytes()),
    }


def rows_of(result: dict[str, Any], folder: Path) -> list[Row]:
    """The rows in the result of `run`."""
    (folder / "read").write_bytes(result["bytes"])
    return jsonl.read(folder / "read")


def lines(*records: Any) -> str:
    """Records as JSON Lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


def chat(question: str, answer: str) -> Chat:
    return Chat([Message("user", question), Message("assistant", answer)])


def rated(prompt: str, completion: str, label: object) -> dict[str, Any]:
    """A record of the format kto."""
    return {"prompt": prompt, "completion": completion, "label": label}
