"""Repairs text, redacts personal data, and drops rows that would teach a model to refuse or to ramble.

Inputs:  ingested   JSONL canonical rows
         tokenizer  folder of a model, by whose template rows are counted in tokens; else a file that is not looked at
Outputs: cleaned    JSONL canonical rows; a changed row has a new id
         parents    Parquet {id, parent, rules}: the row that each changed row was before, and what changed it
         dropped    Parquet {id, reason, detail}
         personal   Parquet {id, kind, found}: how often each kind of personal data was in an ingested row
         report     JSON {in, out, dropped, changed: {rule: rows}, personal: {kind: {action, rows, found}}}; and, where
                    they are asked for, languages: {code: rows}, labels: {field, rows, largest_share, counts}
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
from stages.cleaning import labels, rules
from stages.cleaning.row_store import Store
from stages.cleaning.rules import chosen
from stages.params.cleaning import Clean
from stages.rows import accounting, jsonl, parquet_table
from stages.rows.accounting import Drop
from stages.rows.row import Row, make_row, merge


class Cleaned(NamedTuple):
    """What became of a row, what changed it, and what personal data was in it."""

    row: Row | Drop
    rules: list[str]
    found: Counter[str]


def clean(row: Row, params: Clean) -> Cleaned:
    """What becomes of a row; its language and its length in tokens are looked at elsewhere."""
    content, changed, found, problem = rules.mend(row.content, params)
    if problem:
        return Cleaned(Drop(row.id, *problem), [], found)
    return Cleaned(make_row(content, row.split, row.group, row.time) if changed else row, changed, found)


class Outcome(msgspec.Struct):
    """All that is told of the rows, beside the rows."""

    total: int = 0
    drops: list[Drop] = []
    parents: list[tuple[str, str, str]] = []
    personal: list[tuple[str, str, int]] = []
    changed: Counter[str] = msgspec.field(default_factory=Counter)
    languages: Counter[str] = msgspec.field(default_factory=Counter)


def settle(ingested: Path, tokenizer: Path, store: Store, params: Clean) -> Outcome:
    """Puts the rows that stay into the store. A row that was clean before is never the repeated one."""
    told = Outcome()
    with tempfile.TemporaryFile(dir=store.folder) as later:  # changed rows wait for those that were clean before
        for row in jsonl.iter_rows(ingested):
            told.total += 1
            result, changed, found = clean(row, params)
            told.personal += [(row.id, kind, n) for kind, n in found.items()]
            if isinstance(result, Row) and (problem := chosen(result.content, tokenizer, params, told.languages)):
                result = Drop(row.id, *problem)
            if isinstance(result, Drop):
                told.drops.append(result)
            elif changed:
                later.write(msgspec.json.encode((row if changed == ["normalise"] else row.id, result, changed)) + b"\n")
            else:
                store.put(result)
        later.seek(0)
        decoder = msgspec.json.Decoder(tuple[Row | str, Row, list[str]])
        for parent, result, changed in map(decoder.decode, later):
            _keep(parent, result, changed, store, told)
    return told


def _keep(parent: Row | str, result: Row, changed: list[str], store: Store, told: Outcome) -> None:
    there = store.get(result.id)
    if isinstance(parent, Row) and parent.split == "test" and there and there.split == "test":
        store.put(parent)  # white space alone tells two rows of a given test split apart: it stays whole
        return
    id = parent.id if isinstance(parent, Row) else parent
    told.parents.append((result.id, id, " ".join(changed)))
    told.changed.update(changed)
    if there:
        told.drops.append(Drop(id, "repeated", f"as {result.id} once cleaned"))
        result = merge(result, there)
    store.put(result)


def capped(store: Store, params: Clean, told: Outcome) -> dict[str, Any]:
    """Drops what is too much of a label; returns the balance of what stays."""
    found: dict[str, str] = {}
    given: set[str] = set()
    for row in store:
        if (label := labels.label(row, params.labels)) is not None:
            found[row.id] = label
            if row.split in ("val", "test"):
                given.add(row.id)
    for id, label in labels.over(found, given, params.labels).items():
        store.remove(id)
        told.drops.append(Drop(id, "label_cap", f"{label}: {params.labels.max_rows} rows of it are kept"))
        del found[id]
    return labels.balance(found, params.labels)


def account(told: Outcome, kept: int, params: Clean) -> dict[str, Any]:
    """The report, without labels."""
    counts = accounting.account(told.total, kept, [d.reason for d in told.drops])
    personal = {
        kind: {"action": action, "rows": len(numbers), "found": sum(numbers)}
        for action in ("redact", "drop", "report")
        for kind in getattr(params.pii, action)
        if (numbers := [n for _, k, n in told.personal if k == kind])
    }
    languages = {"languages": dict(sorted(told.languages.items()))} if params.languages else {}
    return {**counts, "changed": dict(sorted(told.changed.items())), "personal": personal, **languages}


def main(
    ingested: In, tokenizer: In, cleaned: Out, parents: Out, dropped: Out, personal: Out, report: Out, params: Clean
) -> str:
    with Store(cleaned.parent) as store:
        told = settle(ingested, tokenizer, store, params)
        balance = {"labels": capped(store, params, told)} if params.labels else {}
        counts = account(told, len(store), params)
        store.write(cleaned)
    parquet_table.write(parents, {"id": str, "parent": str, "rules": str}, sorted(told.parents))
    parquet_table.write_drops(dropped, told.drops)
    parquet_table.write(personal, {"id": str, "kind": str, "found": int}, sorted(told.personal))
    accounting.write_json(report, {**counts, **balance})
    return (
        f"{accounting.summary(counts)}; changed {', '.join(f'{k} {n}' for k, n in counts['changed'].items()) or 'none'}"
    )


if __name__ == "__main__":
    harness.run(main)
