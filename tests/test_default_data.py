"""The default data, through ingest, clean, dedup and split: every planted defect is caught, and nothing else."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from modelmake import params
from stages import clean, dedup, ingest, split
from stages.params.cleaning import Clean
from stages.params.data import Dedup, Ingest, Split
from stages.rows import jsonl

ROOT = Path(__file__).parents[1]
MANIFEST = json.loads((ROOT / "data/raw.manifest.json").read_text("utf-8"))
PLANTED, WHERE = MANIFEST["planted"], MANIFEST["where"]


@dataclass
class Built:
    folder: Path

    def report(self, stage: str) -> dict[str, Any]:
        return json.loads((self.folder / f"{stage}.json").read_bytes())

    def table(self, name: str) -> list[dict[str, Any]]:
        return pyarrow.parquet.read_table(self.folder / f"{name}.parquet").to_pylist()

    def places(self, ids: list[str]) -> list[str]:
        """Where these rows stand in the raw files, as the manifest writes it."""
        return sorted(f"{s['file']}:{s['line']}" for s in self.table("sources") if s["id"] in set(ids))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    values = params.load(ROOT / "params.yaml")
    section = {
        kind: params.section(values, kind.section, kind, "params.yaml") for kind in (Ingest, Clean, Dedup, Split)
    }
    at = folder.joinpath
    ingest.main(
        ROOT / "data/raw", at("in.jsonl"), at("sources.parquet"), at("rejected"), at("ingest.json"), section[Ingest]
    )
    clean.main(
        at("in.jsonl"), ROOT / section[Clean].tokenizer, at("c.jsonl"), at("parents.parquet"), at("dropped.parquet"),
        at("personal.parquet"), at("clean.json"), section[Clean],
    )  # fmt: skip
    dedup.main(
        at("c.jsonl"), ROOT / section[Dedup].encoder, at("d.jsonl"), at("duplicates.parquet"), at("conflicts.parquet"),
        at("dedup.json"), at("dedup.memo"), section[Dedup],
    )  # fmt: skip
    split.main(
        at("d.jsonl"), ROOT / section[Split].golden.rows, ROOT / section[Split].decontaminate.sets, at("splits"),
        at("leaks.parquet"), at("contaminated.parquet"), at("split.json"), at("split.memo"), section[Split],
    )  # fmt: skip
    return Built(folder)


def test_ingest_rejects_the_broken_and_empty_records_and_counts_the_copies(built: Built) -> None:
    rejected = [json.loads(line) for line in (built.folder / "rejected").read_text().splitlines()]
    copies = [i for i, n in Counter(s["id"] for s in built.table("sources")).items() if n > 1]
    report = built.report("ingest")

    assert report["in"] == sum(MANIFEST["rows"].values())
    assert report["dropped"] == {
        "broken_json": PLANTED["broken_json"],
        "empty_answer": PLANTED["empty_answers"],
        "repeated": PLANTED["exact_duplicates"],
    }
    for reason, planted in (("broken_json", "broken_json"), ("empty_answer", "empty_answers")):
        assert sorted(f"{r['file']}:{r['line']}" for r in rejected if r["reason"] == reason) == sorted(WHERE[planted])
    assert set(WHERE["exact_duplicates"]) <= set(built.places(copies))


def test_clean_drops_the_refusals_and_what_is_over_long(built: Built) -> None:
    drops = built.table("dropped")

    assert built.report("clean")["dropped"] == {"over_long": PLANTED["over_long"], "refusal": PLANTED["refusals"]}
    for reason, planted in (("over_long", "over_long"), ("refusal", "refusals")):
        assert built.places([d["id"] for d in drops if d["reason"] == reason]) == sorted(WHERE[planted])


def test_clean_changes_the_rows_with_mojibake_and_personal_data_and_no_others(built: Built) -> None:
    assert built.report("clean")["changed"] == {"mojibake": PLANTED["mojibake"], **PLANTED["pii"]}
    for rule, planted in {"mojibake": "mojibake", **{kind: f"pii_{kind}" for kind in PLANTED["pii"]}}.items():
        changed = [p["parent"] for p in built.table("parents") if rule in p["rules"].split()]
        assert built.places(changed) == sorted(WHERE[planted])


def test_dedup_drops_one_row_for_each_planted_near_duplicate(built: Built) -> None:
    parent = {p["id"]: p["parent"] for p in built.table("parents")}
    paired = [parent.get(d[side], d[side]) for d in built.table("duplicates") for side in ("id", "kept")]

    assert built.report("dedup")["dropped"] == {"near_duplicate": PLANTED["near_duplicates"]}
    assert set(WHERE["near_duplicates"]) <= set(built.places(paired))


def test_split_drops_nothing_and_every_row_that_is_left_is_in_one_split(built: Built) -> None:
    kept = [row for file in sorted(built.folder.glob("splits/*/*")) for row in jsonl.read(file)]
    report = built.report("split")

    assert report["dropped"] == {}
    assert len(kept) == report["out"] == len({row.id for row in kept})
    defects = sum(PLANTED[d] for d in PLANTED if d not in ("pii", "mojibake"))
    assert len(kept) == sum(MANIFEST["rows"].values()) - defects
