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
    "email": re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+\b"),  # bounds of RFC 5321, 1035: linear time
    "phone": re.compile(
        r"(?<![\w+])(?:(?=[+(])|(?<!\d[ .,:/-]))"  # not the middle of a longer number, a date or a time
        r"(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,5}\)[ ./-]?)?\d{1,5}[ ./-]?\d{2,5}(?:[ .-]?\d{2,5}){0,4}(?!\w)"
    ),
}
NO_PHONE = re.compile(r"0\.|\d{1,2}([.-])\d{1,2}\1(?:19|20)\d\d(?!\d)")  # a decimal or a version; a date


def is_card(text: str) -> bool:
    """13 to 19 digits that pass Luhn's check (ISO/IEC 7812-1)."""
    digits = [int(c) for c in reversed(text) if c.isdigit()]
    return (
        13 <= len(digits) <= 19
        and sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)) % 10 == 0
    )


def is_iban(text: str) -> bool:
    """15 to 34 characters that pass the mod-97 check (ISO 13616)."""
    compact = text.replace(" ", "")
    return 15 <= len(compact) <= 34 and int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def is_phone(text: str) -> bool:
    """Nine to fifteen digits (ITU-T E.164) that begin as numbers do, with + or 0 or (, or stand as 415-555-0123."""
    if re.fullmatch(r"(?:1[ .-])?\d{3}([ .-])\d{3}\1\d{4}", text):
        return True
    return not NO_PHONE.match(text) and 9 <= sum(c.isdigit() for c in text) <= 15 and text[0] in "+0("


CHECKSUMS: dict[str, Callable[[str], bool]] = {"iban": is_iban, "card": is_card}


def redact(text: str, kind: str) -> str:
    """Replaces personal data of this kind by its placeholder: [EMAIL]."""
    done, position = "", 0
    while match := PII[kind].search(text, position):
        number = _number(match[0], kind)
        taken = number or (match[0].partition(" ")[0] if kind in CHECKSUMS else match[0])
        done += text[position : match.start()] + (f"[{kind.upper()}]" if number else taken)
        position = match.start() + len(taken)
    return done + text[position:]


def _number(text: str, kind: str) -> str:
    """The part of a match that is such data, or "".

    Words around what has a checksum may look like a part of it: a card's expiry, an IBAN's bank code. So it is
    the longest run of words from the left that passes; where none does, the search goes on from the next word.
    """
    if kind == "phone":
        return text if is_phone(text) else ""
    while text and not CHECKSUMS.get(kind, bool)(text):
        text = text.rpartition(" ")[0]
    return text


def mend(text: str) -> str:
    """Undoes mojibake; text that is plain ASCII cannot have any."""
    if text.isascii():
        return text
    import ftfy

    return ftfy.fix_encoding(text)


def normalise(text: str) -> str:
    """Unicode NFC, newlines as \\n, no other control characters but tab, no white space around."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    printable = "".join(c for c in lines if c in "\n\t" or unicodedata.category(c) != "Cc")
    return unicodedata.normalize("NFC", printable).strip()


def drop_reason(content: rows.Content, params: Clean) -> tuple[str, str] | None:
    """(reason, detail) where the row must go."""
    chars = sum(map(len, rows.texts(content)))
    if chars > params.max_chars:
        return "over_long", f"{chars} characters, at most {params.max_chars}"
    if problem := rows.problem(content):  # control characters alone are no text
        return problem
    answers = [content.messages[-1]] if isinstance(content, rows.Chat) else getattr(content, "chosen", [])
    for answer in answers:
        for refusal in params.refusals:
            begin, rest = _plain(refusal), _plain(answer.content)
            if rest.startswith(begin) and not rest[len(begin) : len(begin) + 1].isalnum():  # "as an ai", no "as an aid"
                return "refusal", refusal
    return None


def _plain(text: str) -> str:
    return text.casefold().replace("’", "'")


def clean(row: rows.Row, params: Clean) -> tuple[rows.Row | rows.Drop, list[str]]:
    """The cleaned row, or its drop; and the rules that changed it."""
    rules: dict[str, Callable[[str], str]] = {"mojibake": mend, "normalise": normalise}
    rules |= {kind: partial(redact, kind=kind) for kind in PII if kind in params.pii}
    content, before, applied = row.content, None, []
    while content != before:  # a rule may leave work for an earlier one
        before = content
        for name, rule in rules.items():
            changed = rows.rewrite(content, rule)
            if changed != content:
                content = changed
                applied.append(name)
    applied = list(dict.fromkeys(applied))
    problem = drop_reason(content, params)
    if problem:
        return rows.Drop(row.id, *problem), []
    return (rows.row(content, row.split, row.group) if applied else row), applied


def main(ingested: In, cleaned: Out, parents: Out, dropped: Out, report: Out, params: Clean) -> str:
    kept: dict[str, rows.Row] = {}
    drops: list[rows.Drop] = []
    parent_of: list[tuple[str, str, str]] = []
    changed: Counter[str] = Counter()
    found = rows.read(ingested)
    results = [(row, *clean(row, params)) for row in found]
    for row, result, applied in sorted(results, key=lambda r: bool(r[2])):  # a row that was clean before is kept
        if isinstance(result, rows.Drop):
            drops.append(result)
            continue
        if applied == ["normalise"] and row.split == "test" and getattr(kept.get(result.id), "split", "") == "test":
            result, applied = row, []  # white space alone tells two rows of a given test split apart: it stays whole
        if applied:
            parent_of.append((result.id, row.id, " ".join(applied)))
            changed.update(applied)
        if result.id in kept:
            drops.append(rows.Drop(row.id, "repeated", f"as {result.id} once cleaned"))
        kept[result.id] = rows.stronger(result, kept.get(result.id, result))
    counts = rows.account(len(found), len(kept), [d.reason for d in drops])
    rows.write(cleaned, kept.values())
    rows.write_table(parents, {"id": str, "parent": str, "rules": str}, sorted(parent_of))
    rows.write_drops(dropped, drops)
    rows.write_json(report, {**counts, "changed": dict(sorted(changed.items()))})
    return f"{rows.summary(counts)}; changed {', '.join(f'{k} {n}' for k, n in sorted(changed.items())) or 'none'}"


if __name__ == "__main__":
    harness.run(main)
