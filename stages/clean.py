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

import importlib
import itertools
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake import harness
from modelmake.signature import In, Out
from stages import pii, rows, side_table
from stages.cleaning import labels, refusals, repair, turns
from stages.cleaning.store import Store
from stages.params.data import Clean


class Cleaned(NamedTuple):
    """What became of a row, what changed it, and what personal data was in it."""

    row: rows.Row | rows.Drop
    rules: list[str]
    found: Counter[str]


class Changes:
    """What rules did to the texts of one row: when each changed it first, and how much personal data they found."""

    def __init__(self, params: Clean) -> None:
        self.first: dict[str, tuple[int, int]] = {}  # rule -> (round, place)
        self.found: Counter[str] = Counter()
        self._params = params
        self._kinds = {*params.pii.redact, *params.pii.drop, *params.pii.report}

    def apply(self, text: str) -> str:
        """The text as the rules leave it; one may leave work for an earlier one."""
        for number in itertools.count():
            before = text
            text = self._note("mojibake", repair.mend(text), text, (number, 0))
            text = self._note("normalise", repair.normalise(text), text, (number, 1))
            spans = pii.find(text, self._kinds, self._params.pii.countries)
            for engine in self._params.pii.modules():
                more = importlib.import_module(engine).find
                hidden = pii.masked(text, spans)
                spans += more(hidden, self._kinds, self._params.pii.countries, self._params.pii.presidio)
            gone = [span for span in sorted(spans) if span.kind in self._params.pii.redact]
            for span in gone:
                self.found[span.kind] += 1
                self._note(span.kind, "", text, (number, 2 + pii.KINDS.index(span.kind)))
            text = pii.redact(text, gone) if gone else text
            if text == before:
                self.found.update(span.kind for span in spans) if spans else None
                return text

    def _note(self, rule: str, after: str, before: str, when: tuple[int, int]) -> str:
        if after != before:
            self.first[rule] = min(when, self.first.get(rule, when))
        return after


def clean(row: rows.Row, params: Clean) -> Cleaned:
    """What becomes of a row; its language and its length in tokens are looked at elsewhere."""
    changes = Changes(params)
    content = rows.rewrite(row.content, changes.apply)
    content, rules = turns.tidy(content, params.turns)
    rules = [*sorted(changes.first, key=changes.first.get), *rules]
    if problem := drop_reason(content, changes.found, params):
        return Cleaned(rows.Drop(row.id, *problem), [], changes.found)
    return Cleaned(rows.row(content, row.split, row.group, row.time) if rules else row, rules, changes.found)


def drop_reason(content: rows.Content, found: Counter[str], params: Clean) -> tuple[str, str] | None:
    """(reason, detail) where the row must go."""
    chars = sum(map(len, rows.texts(content)))
    if chars > params.max_chars:
        return "over_long", f"{chars} characters, at most {params.max_chars}"
    if problem := rows.problem(content) or turns.problem(content, params.turns):  # control characters alone are no text
        return problem
    if refusal := refusals.refusal(content, params.refusals):
        return "refusal", refusal
    if kinds := [kind for kind in params.pii.drop if found[kind]]:
        return "personal_data", ", ".join(f"{kind} {found[kind]}" for kind in kinds)
    return None


def chosen(content: rows.Content, tokenizer: Path, params: Clean, seen: Counter[str]) -> tuple[str, str] | None:
    """(reason, detail) where a row must go by a rule that params switch on; languages are counted in `seen`."""
    rules = (importlib.import_module(name) for name in params.modules() if name not in params.pii.modules())
    return next(filter(None, (rule.problem(content, params, tokenizer, seen) for rule in rules)), None)


class Outcome(msgspec.Struct):
    """All that is told of the rows, beside the rows."""

    total: int = 0
    drops: list[rows.Drop] = []
    parents: list[tuple[str, str, str]] = []
    personal: list[tuple[str, str, int]] = []
    changed: Counter[str] = msgspec.field(default_factory=Counter)
    languages: Counter[str] = msgspec.field(default_factory=Counter)


def settle(ingested: Path, tokenizer: Path, store: Store, params: Clean) -> Outcome:
    """Puts the rows that stay into the store. A row that was clean before is never the repeated one."""
    told = Outcome()
    with tempfile.TemporaryFile(dir=store.folder) as later:  # changed rows wait for those that were clean before
        for row in rows.each(ingested):
            told.total += 1
            result, rules, found = clean(row, params)
            told.personal += [(row.id, kind, n) for kind, n in found.items()]
            if isinstance(result, rows.Row) and (problem := chosen(result.content, tokenizer, params, told.languages)):
                result = rows.Drop(row.id, *problem)
            if isinstance(result, rows.Drop):
                told.drops.append(result)
            elif rules:
                later.write(msgspec.json.encode((row if rules == ["normalise"] else row.id, result, rules)) + b"\n")
            else:
                store.put(result)
        later.seek(0)
        decoder = msgspec.json.Decoder(tuple[rows.Row | str, rows.Row, list[str]])
        for parent, result, rules in map(decoder.decode, later):
            _keep(parent, result, rules, store, told)
    return told


def _keep(parent: rows.Row | str, result: rows.Row, rules: list[str], store: Store, told: Outcome) -> None:
    there = store.get(result.id)
    if isinstance(parent, rows.Row) and parent.split == "test" and there and there.split == "test":
        store.put(parent)  # white space alone tells two rows of a given test split apart: it stays whole
        return
    id = parent.id if isinstance(parent, rows.Row) else parent
    told.parents.append((result.id, id, " ".join(rules)))
    told.changed.update(rules)
    if there:
        told.drops.append(rows.Drop(id, "repeated", f"as {result.id} once cleaned"))
        result = rows.stronger(result, there)
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
        told.drops.append(rows.Drop(id, "label_cap", f"{label}: {params.labels.max_rows} rows of it are kept"))
        del found[id]
    return labels.balance(found, params.labels)


def account(told: Outcome, kept: int, params: Clean) -> dict[str, Any]:
    """The report, without labels."""
    counts = rows.account(told.total, kept, [d.reason for d in told.drops])
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
    side_table.write(parents, {"id": str, "parent": str, "rules": str}, sorted(told.parents))
    side_table.write_drops(dropped, told.drops)
    side_table.write(personal, {"id": str, "kind": str, "found": int}, sorted(told.personal))
    rows.write_json(report, {**counts, **balance})
    return f"{rows.summary(counts)}; changed {', '.join(f'{k} {n}' for k, n in counts['changed'].items()) or 'none'}"


if __name__ == "__main__":
    harness.run(main)
