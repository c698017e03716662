"""Repairs text, redacts personal data, and drops rows that would teach a model to refuse or to ramble.

Inputs:  ingested   JSONL canonical rows
         tokenizer  folder of a model: rows are counted in its tokens, with its chat template; with max_tokens: null
                    a file that is not read
Outputs: cleaned    JSONL canonical rows; a changed row has a new id
         parents    Parquet {id, parent, rules}: the ingested row of each changed row, and the rules that changed it
         dropped    Parquet {id, reason, detail}
         personal   Parquet {id, kind, found}: number of pieces of personal data of each kind in an ingested row
         report     JSON {in, out, dropped, changed: {rule: rows}, personal: {kind: {action, rows, found}}}; and, if
                    params ask for them, languages: {code: rows}, labels: {field, rows, largest_share, counts}
Params:  clean

Memory: ids, offsets and reasons of rows, never their contents; of a million rows about 0.4 GB.
"""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake import harness
from modelmake.signature import In, Out
from stages.cleaning import labels, refusals, rules
from stages.cleaning.row_store import RowStore
from stages.params.cleaning import Clean
from stages.rows import accounting, jsonl, parquet_table
from stages.rows.accounting import Drop
from stages.rows.row import Row, make_row, merge


class Cleaned(NamedTuple):
    """A row after the rules."""

    row: Row | Drop
    rules: list[str]  # that changed it
    personal: Counter[str]  # personal data in the row before, of each kind


def clean(row: Row, params: Clean) -> Cleaned:
    """A row after the rules, but for the optional ones (`rules.optional_drop_reason`)."""
    content, changed_by, personal, problem = rules.clean_content(row.content, params)
    if problem:
        return Cleaned(Drop(row.id, *problem), [], personal)
    return Cleaned(make_row(content, row.split, row.group, row.time) if changed_by else row, changed_by, personal)


class Outcome(msgspec.Struct):
    """Everything that the stage reports of the rows."""

    total: int = 0  # ingested rows
    answers: int = 0  # to learn, of ingested rows
    drops: list[Drop] = []
    parents: list[tuple[str, str, str]] = []  # id, parent, rules
    personal: list[tuple[str, str, int]] = []  # id, kind, found
    changed: Counter[str] = msgspec.field(default_factory=Counter)  # rows of each rule
    languages: Counter[str] = msgspec.field(default_factory=Counter)  # rows of each language


def clean_rows(ingested: Path, tokenizer: Path, store: RowStore, params: Clean) -> Outcome:
    """Cleans all rows and stores those that are kept.

    Changed rows are stored last, so that of rows that cleaning makes equal one that was clean before is never dropped.
    """
    outcome = Outcome()
    with tempfile.TemporaryFile(dir=store.folder) as changed_rows:
        for row in jsonl.iter_rows(ingested):
            outcome.total += 1
            outcome.answers += refusals.answer_to_learn(row.content) is not None
            result, changed_by, personal = clean(row, params)
            outcome.personal += [(row.id, kind, n) for kind, n in personal.items()]
            if isinstance(result, Row) and (
                problem := rules.optional_drop_reason(result.content, tokenizer, params, outcome.languages)
            ):
                result = Drop(row.id, *problem)
            if isinstance(result, Drop):
                outcome.drops.append(result)
            elif changed_by:
                parent = row if {*changed_by} <= rules.UNSEEN else row.id
                changed_rows.write(msgspec.json.encode((parent, result, changed_by)) + b"\n")
            else:
                store.put(result)
        changed_rows.seek(0)
        decoder = msgspec.json.Decoder(tuple[Row | str, Row, list[str]])
        for parent, result, changed_by in map(decoder.decode, changed_rows):
            _store_changed(parent, result, changed_by, store, outcome)
    return outcome


def _store_changed(parent: Row | str, row: Row, changed_by: list[str], store: RowStore, outcome: Outcome) -> None:
    """Stores a changed row; `parent` is the row before if no reader sees the change, else its id."""
    same = store.get(row.id)
    if isinstance(parent, Row) and parent.split == "test" and same and same.split == "test":
        store.put(parent)  # the source's test split stays whole, even rows that differ in white space only
        return
    parent_id = parent.id if isinstance(parent, Row) else parent
    outcome.parents.append((row.id, parent_id, " ".join(changed_by)))
    outcome.changed.update(changed_by)
    if same:
        outcome.drops.append(Drop(parent_id, "repeated", f"as {row.id} once cleaned"))
        row = merge(row, same)
    store.put(row)


def cap_labels(store: RowStore, params: Clean, outcome: Outcome) -> dict[str, Any]:
    """Drops the rows beyond `max_rows` of their label; returns the balance of labels of the rest."""
    label_of: dict[str, str] = {}
    exempt: set[str] = set()
    for row in store:
        if (label := labels.label(row, params.labels)) is not None:
            label_of[row.id] = label
            if row.split in ("val", "test"):
                exempt.add(row.id)
    for id, label in labels.rows_over_cap(label_of, exempt, params.labels).items():
        store.remove(id)
        outcome.drops.append(Drop(id, "label_cap", f"{label}: {params.labels.max_rows} rows of it are kept"))
        del label_of[id]
    return labels.balance(label_of, params.labels)


def make_report(outcome: Outcome, kept: int, params: Clean) -> dict[str, Any]:
    """The report, without labels."""
    counts = accounting.account(outcome.total, kept, [drop.reason for drop in outcome.drops])
    personal = {
        kind: {"action": action, "rows": len(numbers), "found": sum(numbers)}
        for action in ("redact", "drop", "report")
        for kind in getattr(params.pii, action)
        if (numbers := [n for _, k, n in outcome.personal if k == kind])
    }
    languages = {"languages": dict(sorted(outcome.languages.items()))} if params.languages else {}
    return {**counts, "changed": dict(sorted(outcome.changed.items())), "personal": personal, **languages}


def main(
    ingested: In, tokenizer: In, cleaned: Out, parents: Out, dropped: Out, personal: Out, report: Out, params: Clean
) -> str:
    with RowStore(cleaned.parent) as store:
        outcome = clean_rows(ingested, tokenizer, store, params)
        if params.refusals:
            dropped_refusals = [drop.detail for drop in outcome.drops if drop.reason == "refusal"]
            refusals.check_fraction(dropped_refusals, outcome.answers, params.refusals)
        balance = {"labels": cap_labels(store, params, outcome)} if params.labels else {}
        counts = make_report(outcome, len(store), params)
        store.write(cleaned)
    parquet_table.write(parents, {"id": str, "parent": str, "rules": str}, sorted(outcome.parents))
    parquet_table.write_drops(dropped, outcome.drops)
    parquet_table.write(personal, {"id": str, "kind": str, "found": int}, sorted(outcome.personal))
    accounting.write_json(report, {**counts, **balance})
    changed = ", ".join(f"{rule} {n}" for rule, n in counts["changed"].items()) or "none"
    return f"{accounting.summary(counts)}; changed {changed}"


if __name__ == "__main__":
    harness.run(main)
