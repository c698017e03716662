"""Parameters and rows of `split` for tests, and a run of the stage."""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet

from stages import split
from stages.params.data import Decontaminate, Golden, Near, Split
from stages.rows import jsonl
from stages.rows.row import KINDS, SPLITS, Chat, Content, Message, Row, Text, make_row

NEAR = Near(threshold=0.85, shingle_chars=5, permutations=128, bands=21, seed=1, threads=1)
PARAMS = Split(
    val_fraction=0.05,
    test_fraction=0.1,
    time=None,
    golden=Golden(rows="golden.jsonl", sha256=hashlib.sha256(b"").hexdigest()),
    decontaminate=Decontaminate(sets="sets", words=4, min_words=2),
    val_from_train=False,
    near=NEAR,
    max_dropped_fraction=1.0,
)

MIDDLE = (
    "I ordered the toaster on Monday, the courier says that it was handed over to a neighbour, and I cannot find it. "
)
FIRST = f"The first one: {MIDDLE}Where is it? Please write soon."  # similar to SECOND, not to THIRD
SECOND = f"The next: {MIDDLE}Where is it? Please write soon."
THIRD = f"The next: {MIDDLE}Where is it? Please write today."  # similar to SECOND

FILES = ("in", "golden.jsonl", "sets", "splits", "leaks", "contaminated", "report", "memo")


def chat(question: str, split: str = "", answer: str = "ok") -> Row:
    return make_row(Chat([Message("user", question), Message("assistant", answer)]), split)


def text(content: str, split: str = "") -> Row:
    return make_row(Text(content), split)


ALWAYS = text("Nothing else is like this row of train.", "train")


def run(
    rows: list[Row], params: Split = PARAMS, golden: Sequence[Chat] = (), evaluations: Sequence[str] = ()
) -> tuple[dict[str, tuple[str, Content]], list[tuple], dict[str, Any]]:
    """Runs the stage: ({id: (split, content)}, lines of the tables contaminated and leaks, report).

    One more row is in train, so that there is one in any case, and left out of what is returned.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jsonl.write(folder / "in", [*rows, ALWAYS])
        golden_bytes = b"".join(msgspec.json.encode({"messages": chat.messages}) + b"\n" for chat in golden)
        (folder / "golden.jsonl").write_bytes(golden_bytes)
        (folder / "sets").mkdir()
        if evaluations:
            (folder / "sets/e.txt").write_text("\n\n".join(evaluations))
        pin = Golden(rows="golden.jsonl", sha256=hashlib.sha256(golden_bytes).hexdigest())
        split.main(*(folder / file for file in FILES), msgspec.structs.replace(params, golden=pin))
        files = {f"{s}/{kind}.jsonl" for s in SPLITS for kind in KINDS}
        files |= {"test/golden.jsonl"} if golden else set()
        assert {str(p.relative_to(folder / "splits")) for p in folder.glob("splits/*/*")} == files
        written = [(file.partition("/"), row) for file in files for row in jsonl.read(folder / "splits" / file)]
        assert all(kind in (f"{row.kind}.jsonl", "golden.jsonl") and row.split == "" for (_, _, kind), row in written)
        tables = [pyarrow.parquet.read_table(folder / name).to_pylist() for name in ("contaminated", "leaks")]
        dropped = [tuple(line.values()) for table in tables for line in table]
        report = json.loads((folder / "report").read_bytes())
    for counts, name in ((report, "in"), (report, "out"), (report["splits"]["train"], "text")):
        counts[name] -= 1
    written = [(place, row) for place, row in written if row.id != ALWAYS.id]
    placed = {row.id: ("golden" if kind == "golden.jsonl" else s, row.content) for (s, _, kind), row in written}
    assert len(placed) == len(written)
    return placed, dropped, report
