"""Writes the datasheet of the splits: figures, audits, a sample for annotators, and statistics of their annotations.

Inputs:  ingest, clean, dedup, split  JSON: reports of these stages
         dropped       Parquet {id, reason, detail}, as `clean` wrote it
         duplicates    Parquet {id, kept, ...}, as `dedup` wrote it
         conflicts     Parquet {id, other, reason, similarity}, as `dedup` wrote it
         splits        folder of {split}/{chat,pair,judged,text,golden}.jsonl
         annotations   folder of CSV files, one an annotator: the sample with verdicts
         templates     folder of Jinja templates: page.html, sample.html
         layout        folder of the base template, style and macros that all pages share
Outputs: page          one HTML file, without any network access
         datasheet     JSON {rows, funnel, unread, cleaned_away, facts, personal, languages, contaminated, clusters,
                       marks, findings}
         croissant     the splits as Croissant: files with SHA-256, record sets with fields
         sample        CSV id, kind, question, answer, verdict, note; cells that would be formulas begin with '
         sample_page   the sample as HTML
Params:  datasheet, card
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake import harness
from modelmake.signature import In, Out
from stages.params.data import Datasheet
from stages.params.release import Card
from stages.reporting import annotations, croissant, data_audits, data_facts, html
from stages.rows import accounting
from stages.rows.mapped_rows import ConcatenatedRows, MappedRows
from stages.rows.row import KINDS, SPLITS, Row

LEVELS = ("serious", "warning", "too_few", "ok")


class Inputs(NamedTuple):
    ingest: In
    clean: In
    dedup: In
    split: In
    dropped: In
    duplicates: In
    conflicts: In
    splits: In
    annotations: In
    templates: In
    layout: In


class Outputs(NamedTuple):
    page: Out
    datasheet: Out
    croissant: Out
    sample: Out
    sample_page: Out


def row_files(splits: Path) -> dict[Path, str]:
    """{file: kind of its rows} of every file that has rows, train first; golden rows are chats."""
    paths = [splits / split / f"{name}.jsonl" for split in SPLITS for name in (*KINDS, "golden")]
    return {path: path.stem if path.stem in KINDS else "chat" for path in paths
            if path.is_file() and path.stat().st_size}  # fmt: skip


class Tables(NamedTuple):
    """What the stages before say of single rows."""

    dropped: list[tuple[str, str, str]]  # id, reason, detail of those that `clean` dropped
    kept: list[str]  # for each duplicate, the id of the row that was kept in its place
    conflicts: list[tuple[str, str, float]]  # id, id of the other row, similarity of their questions


def read_table(path: Path, *columns: str) -> list[tuple]:
    """The rows of a Parquet table, with these columns."""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path, columns=list(columns))
    return list(zip(*(table[name].to_pylist() for name in columns), strict=True))


def cleaned_away(dropped: list[tuple[str, str, str]], examples: int) -> dict[str, dict[str, Any]]:
    """{reason: {rows, examples: [{id, detail}]}} of the rows that `clean` dropped, most rows first.

    The examples are the first by id, which is a hash, so as good as a random sample.
    """
    details: dict[str, list[tuple[str, str]]] = {}
    for id, reason, detail in dropped:
        details.setdefault(reason, []).append((id, detail))
    return {
        reason: {"rows": len(lines), "examples": [{"id": id, "detail": d} for id, d in sorted(lines)[:examples]]}
        for reason, lines in sorted(details.items(), key=lambda item: (-len(item[1]), item[0]))
    }


def audit(
    rows: Sequence[Row], label_of: data_facts.LabelOf, dedup: dict[str, Any], tables: Tables, params: Datasheet
) -> list[data_audits.Finding]:
    """The findings of every audit, the worst first."""
    findings = [
        data_audits.conflicting_answers(rows, params),
        data_audits.conflicts_of_like_questions(dedup, tables.conflicts, rows, params),
        data_audits.length_of_pairs(rows, params),
        data_audits.length_of_labels(rows, label_of, params),
        data_audits.mixed_styles(rows, params),
        data_audits.dominant_label(rows, label_of, params),
        data_audits.many_duplicates(dedup, tables.kept, rows, params),
    ]
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def wrong_rows(
    rows: Sequence[Row], by_annotator: dict[str, dict[str, annotations.Annotation]], examples: int
) -> Iterator[dict[str, Any]]:
    """The first rows annotated as wrong: {id, kind, question, answer, notes: [(annotator, note)]}."""
    notes: dict[str, list[tuple[str, str]]] = {}
    for name, of_name in by_annotator.items():
        for id, annotation in of_name.items():
            if annotation.verdict == "wrong":
                notes.setdefault(id, []).append((name, annotation.note))
    for row in rows:
        if row.id in notes and examples:
            examples -= 1
            yield annotations.sample_line(row) | {"notes": notes[row.id]}


def sheet(
    rows: Sequence[Row], reports: dict[str, dict[str, Any]], tables: Tables,
    by_annotator: dict[str, dict[str, annotations.Annotation]], params: Datasheet,
) -> dict[str, Any]:  # fmt: skip
    """The content of datasheet.json.

    Args:
        reports: {stage: its report} of ingest, clean, dedup and split.
        by_annotator: as `annotations.read` returns them.
    """
    label_of = data_facts.label_function(reports["clean"].get("labels"))
    return {
        "rows": reports["split"]["splits"],
        "funnel": {stage: {key: report[key] for key in ("in", "out", "dropped")} for stage, report in reports.items()},
        "unread": reports["ingest"]["unread"],
        "cleaned_away": cleaned_away(tables.dropped, params.examples),
        "facts": data_facts.facts(rows, label_of, params.examples),
        "personal": reports["clean"]["personal"],
        "languages": reports["clean"].get("languages"),
        "contaminated": reports["split"]["contaminated"],
        "clusters": {str(size): n for size, n in data_facts.cluster_sizes(tables.kept).items()},
        "marks": annotations.statistics(by_annotator, {row.id for row in rows}, params.confidence),
        "findings": audit(rows, label_of, reports["dedup"], tables, params),
    }


def main(inputs: Inputs, outputs: Outputs, params: Datasheet, card: Card) -> str:
    by_annotator = annotations.read(inputs.annotations)
    reports = {stage: msgspec.json.decode(getattr(inputs, stage).read_bytes())
               for stage in ("ingest", "clean", "dedup", "split")}  # fmt: skip
    files = row_files(inputs.splits)
    rows = reduce(ConcatenatedRows, map(MappedRows, files), [])
    tables = Tables(
        read_table(inputs.dropped, "id", "reason", "detail"),
        [kept for (kept,) in read_table(inputs.duplicates, "kept")],
        read_table(inputs.conflicts, "id", "other", "similarity"),
    )
    content = sheet(rows, reports, tables, by_annotator, params)
    sample = annotations.sample(rows, params.sample_rows, params.seed)
    annotations.write_sample(outputs.sample, sample)
    accounting.write_json(outputs.datasheet, content)
    values = {
        "card": card, "params": params, "sheet": msgspec.to_builtins(content),
        "label_field": (reports["clean"].get("labels") or {}).get("field"),
        "sample": list(map(annotations.sample_line, sample)),
        "wrong_rows": list(wrong_rows(rows, by_annotator, params.examples)),
    }  # fmt: skip
    folders = [inputs.templates, inputs.layout]
    outputs.page.write_text(html.render(folders, "page.html", values, []), "utf-8")
    outputs.sample_page.write_text(html.render(folders, "sample.html", values, []), "utf-8")
    description = croissant.describe(
        files, outputs.croissant.parent, f"{card.name}-data",
        " ".join(filter(None, [f"Rows that {card.name} learns from and is asked.", card.description])),
        params.license, card.language,
    )  # fmt: skip
    accounting.write_json(outputs.croissant, description)
    levels = Counter(finding.level for finding in content["findings"])
    warnings, annotated = levels["warning"] + levels["serious"], content["marks"]["rows"]
    too_few = f", {levels['too_few']} audits had too few rows to tell" if levels["too_few"] else ""
    return f"{len(rows)} rows, {warnings} warnings{too_few}; {annotated} rows marked; look at reports/data.html"


if __name__ == "__main__":
    harness.run(main)
