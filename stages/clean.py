"""Repairs text, redacts personal data, and drops rows that would teach a model to refuse or to ramble.

Inputs:  ingested   JSONL canonical rows
Outputs: cleaned    JSONL canonical rows; a changed row has a new id
         parents    Parquet {id, parent, rules}: the row that each changed row was before, and what changed it
         dropped    Parquet {id, reason, detail}
         report     JSON {in, out, dropped, changed: {rule: rows}}
Params:  clean
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import partial

from modelmake import harness
from modelmake.signature import In, Out
from stages import rows
from stages.params.data import Clean

# Order matters: what one pattern takes, a later and looser one must not see.
PII = {
    "iban": re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b"),
    "card": re.compile(r"(?<![\w+])\d(?:[ -]?\d){12,18}(?!\w)"),
    "email": re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"),
    "phone": re.compile(r"(?<![\w+])(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,5}\)[ .-]?)?\d{1,5}(?:[ .-]?\d{2,5}){1,5}(?!\w)"),
}


def is_card(text: str) -> bool:
    """Luhn's check (ISO/IEC 7812-1)."""
    digits = [int(c) for c in reversed(text) if c.isdigit()]
    return sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)) % 10 == 0


def is_iban(text: str) -> bool:
    """The mod-97 check (ISO 13616)."""
    compact = text.replace(" ", "")
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def is_phone(text: str) -> bool:
    """Nine to fifteen digits (ITU-T E.164) that begin as numbers do, with + or 0 or (, or stand as 415-555-0123."""
    if re.fullmatch(r"\d{3}([ .-])\d{3}\1\d{4}", text):
        return True
    return 9 <= sum(c.isdigit() for c in text) <= 15 and text[0] in "+0("


CHECKS: dict[str, Callable[[str], bool]] = {"iban": is_iban, "card": is_card, "phone": is_phone}


def redact(text: str, kind: str) -> str:
    """Replaces personal data of this kind by its placeholder: [EMAIL]."""
    check = CHECKS.get(kind, bool)
    return PII[kind].sub(lambda match: f"[{kind.upper()}]" if check(match[0]) else match[0], text)


def mend(text: str) -> str:
    """Undoes mojibake; text that is plain ASCII cannot have any."""
    if text.isascii():
        return text
    import ftfy

    return ftfy.fix_encoding(text)


def normalise(text: str) -> str:
    """Unicode NFC, no control characters but tab and newline, no white space around."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    return "".join(c for c in composed if c in "\n\t" or unicodedata.category(c) != "Cc").strip()


def drop_reason(content: rows.Content, params: Clean) -> tuple[str, str] | None:
    """(reason, detail) where the row must go."""
    chars = sum(map(len, rows.texts(content)))
    if chars > params.max_chars:
        return "over_long", f"{chars} characters, at most {params.max_chars}"
    answers = [content.messages[-1]] if isinstance(content, rows.Chat) else getattr(content, "chosen", [])
    for answer in answers:
        for refusal in params.refusals:
            if answer.content.casefold().replace("’", "'").startswith(refusal.casefold()):
                return "refusal", refusal
    return None


def clean(row: rows.Row, params: Clean) -> tuple[rows.Row | rows.Drop, list[str]]:
    """The cleaned row, or its drop; and the rules that changed it."""
    rules: dict[str, Callable[[str], str]] = {"mojibake": mend, "normalise": normalise}
    rules |= {kind: partial(redact, kind=kind) for kind in PII if kind in params.pii}
    content, applied = row.content, []
    for name, rule in rules.items():
        changed = rows.rewrite(content, rule)
        if changed != content:
            content = changed
            applied.append(name)
    problem = drop_reason(content, params)
    if problem:
        return rows.Drop(row.id, *problem), []
    return (rows.row(content, row.split) if applied else row), applied


def main(ingested: In, cleaned: Out, parents: Out, dropped: Out, report: Out, params: Clean) -> str:
    kept: dict[str, rows.Row] = {}
    drops: list[rows.Drop] = []
    parent_of: list[tuple[str, str, str]] = []
    changed: Counter[str] = Counter()
    found = rows.read(ingested)
    for row in found:
        result, applied = clean(row, params)
        if isinstance(result, rows.Drop):
            drops.append(result)
            continue
        if applied:
            parent_of.append((result.id, row.id, " ".join(applied)))
            changed.update(applied)
        if result.id in kept:
            drops.append(rows.Drop(row.id, "repeated", f"as {result.id} once cleaned"))
        else:
            kept[result.id] = result
    counts = rows.account(len(found), len(kept), [d.reason for d in drops])
    rows.write(cleaned, kept.values())
    parent_of.sort()
    names = ("id", "parent", "rules")
    rows.write_table(parents, {name: [p[i] for p in parent_of] for i, name in enumerate(names)})
    rows.write_drops(dropped, drops)
    rows.write_json(report, {**counts, "changed": dict(sorted(changed.items()))})
    return f"{rows.summary(counts)}; changed {', '.join(f'{k} {n}' for k, n in sorted(changed.items())) or 'none'}"


if __name__ == "__main__":
    harness.run(main)
