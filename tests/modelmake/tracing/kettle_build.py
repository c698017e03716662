"""A made-up build about kettles, toasters and parcels: from raw data to a merged model."""

import json
from pathlib import Path
from typing import Any

from tests.made_up_history import MadeUpProject, chat, jsonl, parquet

QUESTION = "My kettle has been leaking from its base since Tuesday, what am I to do with it now?"
BEFORE = chat("a", "Write to emma@example.org, the blender is loud.", "noise")
ROWS = {
    "a": chat("a", "Write to [EMAIL], the blender is loud.", "noise"),
    "b": chat("b", QUESTION, "leak"),
    "c": chat("c", "Where is my parcel?", "I cannot help with that."),
    "d": chat("d", QUESTION.replace("Tuesday", "Monday"), "leak"),
    "e": chat("e", "Does the toaster fit four slices of rye bread at once?", "question"),
    "f": chat("f", "I want my money back for the broken iron.", "refund"),
    "g": chat("g", "Thank you for all, and " + "very " * 30 + "much!", "thanks"),
}
RAW, BASE = "0123456789abcdef0123456789abcdef.dir", "f" * 32 + ".dir"  # MD5s of inputs that no stage makes
MODELS = ["models/sft", "models/trained/sft"]


def two_builds(root: Path) -> MadeUpProject:
    """Two commits: row `e` is in the test split of the first, and consumed in the second."""
    project = MadeUpProject(root)
    build(project, [["b", "a2"], ["a2", "f"]])
    project.commit("First")
    build(project, [["e", "b"], ["a2"]], test="f", learning_rate=0.2)
    project.commit("Second")
    return project


def build(project: MadeUpProject, batches: list[list[str]], test: str = "e", learning_rate: float = 0.1) -> None:
    """Puts all stages into the next dvc.lock. `batches` are the ids that each training step consumes.

    `clean` makes `a2` of `a` and drops `c`, a refusal; `dedup` drops `d`, which is like `b`.
    """
    a2 = {**ROWS["a"], "id": "a2"}
    ingested = project.stage(
        "ingest",
        {"data/raw": RAW},
        {
            "data/ingested/rows.jsonl": jsonl(BEFORE, *(ROWS[i] for i in "bcdefg")),
            "data/ingested/sources.parquet": parquet(
                "id file line", ("a", "mail.jsonl", 1), ("b", "mail.jsonl", 2), ("c", "mail.jsonl", 3),
                ("d", "mail.jsonl", 4), ("e", "mail.jsonl", 5), ("e", "more/mail.jsonl", 9), ("f", "mail.jsonl", 6),
                ("g", "mail.jsonl", 8),
            ),
            "data/ingested/rejected.jsonl": jsonl(
                {"file": "mail.jsonl", "line": 7, "reason": "broken_json", "detail": "no JSON", "found": '{"q": "Ho ho'}
            ),
        },
    )  # fmt: skip
    cleaned = project.stage(
        "clean",
        {"data/ingested/rows.jsonl": ingested["data/ingested/rows.jsonl"]},
        {
            "data/cleaned/rows.jsonl": jsonl(a2, *(ROWS[i] for i in "bdefg")),
            "data/cleaned/parents.parquet": parquet("id parent rules", ("a2", "a", "email")),
            "data/cleaned/dropped.parquet": parquet("id reason detail", ("c", "refusal", "i cannot")),
        },
    )
    unique = project.stage(
        "dedup",
        {"data/cleaned/rows.jsonl": cleaned["data/cleaned/rows.jsonl"]},
        {
            "data/unique.jsonl": jsonl(a2, *(ROWS[i] for i in "befg")),
            "data/duplicates.parquet": parquet("id kept reason similarity", ("d", "b", "near_duplicate", 0.85)),
        },
        {"dedup": {"near": {"threshold": 0.8, "shingle_chars": 5}}},
    )
    train = jsonl(a2, *(ROWS[i] for i in "befg" if i not in test))
    project.stage(
        "split",
        {"data/unique.jsonl": unique["data/unique.jsonl"]},
        {
            "data/splits": {
                "train/chat.jsonl": train,
                "test/chat.jsonl": jsonl(*(ROWS[i] for i in test)),
                "val/chat.jsonl": b"\n",
            }
        },
    )
    trained = project.stage(
        "train@sft",
        {"data/splits/train/chat.jsonl": project.store(train), "models/base": BASE},
        {
            "models/trained/sft": {"adapter_model.safetensors": f"weights of {learning_rate} {batches}".encode()},
            "reports/train/sft.consumed.jsonl": jsonl(*({"step": n, "ids": ids} for n, ids in enumerate(batches, 1))),
            "reports/train/sft.json": json.dumps({"in": 4, "over_long": ["g"]}).encode(),
        },
        {"train.sft": {"learning_rate": learning_rate}},
    )
    project.stage(
        "merge@sft",
        {"models/trained/sft": trained["models/trained/sft"], "models/base": BASE},
        {"models/sft": {"model.safetensors": f"merged {learning_rate} {batches}".encode(), "config.json": b"{}\n"}},
    )


def consumed(report: dict[str, Any]) -> list[tuple[str, list[str], list[str]]]:
    """(subject of the commit, models, rows) of every training that consumed a row."""
    return [
        (commit["subject"], sorted(answer["models"]), answer["rows"])
        for answer in report["consumed"]
        for commit in answer["commits"]
    ]
