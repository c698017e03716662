"""Tells what is in the splits and what may be wrong with them, draws a sample for people to mark, and reads marks back.

Inputs:  ingested, cleaned, deduplicated, divided  JSON: reports of ingest, clean, dedup and split
         duplicates    Parquet, as dedup wrote it
         splits        folder of {split}/{chat,pair,text,golden}.jsonl
         marked        folder of CSV files, one an annotator: the sample with verdicts; none where it has no such file
         templates     folder of Jinja templates: page.html, sample.html
         look          folder of what every page has: style, macros
Outputs: shown         one HTML file that asks nothing of the network
         sheet         JSON {rows, funnel, facts, personal, languages, contaminated, clusters, marks, findings}
         described     the splits as Croissant: files with SHA-256, record sets with fields
         sample        CSV id, kind, question, answer, verdict, note; cells that would be formulas begin with '
         reading       the sample as HTML
Params:  datasheet, card
"""

from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import msgspec

from modelmake import harness
from modelmake.signature import In, Out
from stages.params.data import Datasheet
from stages.params.release import Card
from stages.reporting import annotations, croissant, data_audits, data_facts, html
from stages.rows import accounting
from stages.rows.display import answer_text, prompt_text
from stages.rows.mapped_rows import ConcatenatedRows, MappedRows
from stages.rows.row import KINDS, SPLITS, Text

LEVELS = ("serious", "warning", "ok")


def files(splits: Path) -> dict[Path, str]:
    """{file with rows: their kind}, train first; golden rows are chats."""
    found = [splits / split / f"{name}.jsonl" for split in SPLITS for name in (*KINDS, "golden")]
    return {path: path.stem if path.stem in KINDS else "chat" for path in found
            if path.is_file() and path.stat().st_size}  # fmt: skip


def kept(duplicates: Path) -> list[str]:
    """For every duplicate the id of the row that stands for it."""
    import pyarrow.parquet

    return pyarrow.parquet.read_table(duplicates, columns=["kept"])["kept"].to_pylist()


def audit(
    found: Any, label: data_audits.Label, dedup: dict[str, Any], stands: list[str], params: Datasheet
) -> list[Any]:
    """What every audit found, the worst first."""
    told = [
        data_audits.conflicts(found, params),
        data_audits.length_of_pairs(found, params),
        data_audits.length_of_labels(found, label, params),
        data_audits.styles(found, params),
        data_audits.dominated(found, label, params),
        data_audits.duplicates(dedup, stands, found, params),
    ]
    return sorted(told, key=lambda finding: LEVELS.index(finding.level))


def wrong(found: Any, marked: dict[str, dict[str, annotations.Mark]], shown: int) -> Iterator[dict[str, Any]]:
    """Rows that are marked wrong, with who says so and why."""
    said: dict[str, list[tuple[str, str]]] = {}
    for name, of in marked.items():
        for id, mark in of.items():
            if mark.verdict == "wrong":
                said.setdefault(id, []).append((name, mark.note))
    for row in found:
        if row.id in said and shown:
            shown -= 1
            question = "" if isinstance(row.content, Text) else prompt_text(row.content)
            yield {"id": row.id, "question": question, "answer": answer_text(row.content), "said": said[row.id]}


def main(
    ingested: In, cleaned: In, deduplicated: In, divided: In, duplicates: In, splits: In, marked: In, templates: In,
    look: In, shown: Out, sheet: Out, described: Out, sample: Out, reading: Out, params: Datasheet, card: Card,
) -> str:  # fmt: skip
    given = annotations.read(marked)
    reports = {stage: msgspec.json.decode(report.read_bytes()) for stage, report in
               {"ingest": ingested, "clean": cleaned, "dedup": deduplicated, "split": divided}.items()}  # fmt: skip
    there = files(splits)
    found = reduce(ConcatenatedRows, map(MappedRows, there), [])
    clean, split, stands = reports["clean"], reports["split"], kept(duplicates)
    label = data_facts.labeller(clean.get("labels"))
    told = {
        "rows": split["splits"],
        "funnel": {stage: {key: report[key] for key in ("in", "out", "dropped")} for stage, report in reports.items()},
        "facts": data_facts.tell(found, label, params.examples),
        "personal": clean["personal"],
        "languages": clean.get("languages"),
        "contaminated": split["contaminated"],
        "clusters": {str(size): n for size, n in data_facts.clusters(stands).items()},
        "marks": annotations.tell(given, {row.id for row in found}, params.confidence),
        "findings": audit(found, label, reports["dedup"], stands, params),
    }
    chosen = annotations.sample(found, params.sample_rows, params.seed)
    annotations.write(sample, chosen)
    accounting.write_json(sheet, told)
    values = {
        "card": card, "params": params, "told": msgspec.to_builtins(told),
        "label": (clean.get("labels") or {}).get("field"),
        "sample": list(map(annotations.line, chosen)), "wrong": list(wrong(found, given, params.examples)),
    }  # fmt: skip
    shown.write_text(html.render([templates, look], "page.html", values, []), "utf-8")
    reading.write_text(html.render([templates, look], "sample.html", values, []), "utf-8")
    name = f"{card.name}-data"
    made = croissant.describe(
        there, described.parent, name, f"Rows that {card.name} learns from and is asked. {card.description}",
        params.license, card.language,
    )  # fmt: skip
    croissant.write(described, made)
    warned = [finding for finding in told["findings"] if finding.level != "ok"]
    return f"{len(found)} rows, {len(warned)} warnings; {told['marks']['rows']} rows marked; look at reports/data.html"


if __name__ == "__main__":
    harness.run(main)
