"""How alike rows are, and a gate that keeps them apart."""

from collections.abc import Callable
from dataclasses import replace

import ftfy
from compose import Row, minified
from datasketch import MinHash, MinHashLSH

SHINGLE = 5
# Well below the 0.80 that is promised, so that a MinHash estimate does not take a natural row for a copy.
NOVELTY_LIMIT = 0.74


def chat_text(row: Row) -> str:
    return f"{row.user}\n{row.answer}"


def pair_text(row: Row) -> str:
    return f"{row.user}\n{minified(row.answer)}\n{row.answer}"


def paragraph_text(row: Row) -> str:
    return row.message


def shingles(text: str) -> frozenset[str]:
    flat = " ".join(text.lower().split())
    return frozenset(flat[i : i + SHINGLE] for i in range(max(1, len(flat) - SHINGLE + 1)))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)


def minhash(form: frozenset[str]) -> MinHash:
    signature = MinHash(num_perm=128)
    signature.update_batch([shingle.encode() for shingle in form])
    return signature


def clean_message(row: Row) -> str:
    message = ftfy.fix_text(row.message)
    return message.replace(row.pii, f"[{row.kind.removeprefix('pii_').upper()}]") if row.pii else message


class Novelty:
    """Admits a row only if it is far from all earlier ones, also with mojibake and PII cleaned."""

    def __init__(self, text_of: Callable[[Row], str]) -> None:
        self.text_of = text_of
        # 32 bands of 4 find a pair at 0.74 with 99.999 %: candidates are cheap, the exact check decides.
        self.lsh = MinHashLSH(num_perm=128, params=(32, 4))
        self.sets: list[frozenset[str]] = []
        self.owners: list[Row] = []
        self.messages: set[str] = set()

    def admit(self, row: Row, original: Row | None = None) -> bool:
        """Add the row unless it is too close to another; its original does not count as another."""
        cleaned = replace(row, message=clean_message(row))
        message = " ".join(cleaned.user.lower().split())
        if message in self.messages:
            return False
        forms = [shingles(self.text_of(form)) for form in dict.fromkeys((row, cleaned))]
        signatures = [minhash(form) for form in forms]
        for form, signature in zip(forms, signatures, strict=True):
            for key in self.lsh.query(signature):
                if self.owners[key] is not original and jaccard(form, self.sets[key]) >= NOVELTY_LIMIT:
                    return False
        for form, signature in zip(forms, signatures, strict=True):
            self.lsh.insert(len(self.sets), signature)
            self.sets.append(form)
            self.owners.append(row)
        self.messages.add(message)
        return True

    def first_new(self, make: Callable[[], Row]) -> Row:
        for _ in range(2000):
            row = make()
            if self.admit(row):
                return row
        raise RuntimeError("no new row found: the phrase tables are too small for this many rows")
