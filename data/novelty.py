"""Similarity of generated rows, and a filter that admits only rows unlike all earlier ones."""

from collections.abc import Callable
from dataclasses import replace

import ftfy
from compose import Row, minified
from datasketch import MinHash, MinHashLSH

SHINGLE_CHARS = 5
# README.md promises 0.80. The margin keeps an estimate by MinHash from taking a natural row for a copy.
MAX_JACCARD = 0.74


def chat_text(row: Row) -> str:
    return f"{row.user}\n{row.answer}"


def pair_text(row: Row) -> str:
    return f"{row.user}\n{minified(row.answer)}\n{row.answer}"


def paragraph_text(row: Row) -> str:
    return row.message


def shingles(text: str) -> frozenset[str]:
    """The character 5-grams of a text, in lower case, with white space collapsed."""
    flat = " ".join(text.lower().split())
    return frozenset(flat[i : i + SHINGLE_CHARS] for i in range(max(1, len(flat) - SHINGLE_CHARS + 1)))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)


def minhash(shingle_set: frozenset[str]) -> MinHash:
    signature = MinHash(num_perm=128)
    signature.update_batch([shingle.encode() for shingle in shingle_set])
    return signature


def clean_message(row: Row) -> str:
    """The message as a cleaning step would leave it: mojibake repaired, personal data replaced by its kind."""
    message = ftfy.fix_text(row.message)
    return message.replace(row.pii, f"[{row.kind.removeprefix('pii_').upper()}]") if row.pii else message


class Novelty:
    """Admits rows whose similarity to all admitted ones is below MAX_JACCARD, as they are and cleaned."""

    def __init__(self, text_of: Callable[[Row], str]) -> None:
        self.text_of = text_of
        # 32 bands of 4 rows find a pair at 0.74 with a probability of 99.999 %; each is then verified exactly.
        self.lsh = MinHashLSH(num_perm=128, params=(32, 4))
        self.sets: list[frozenset[str]] = []
        self.owners: list[Row] = []  # of each of `sets`
        self.messages: set[str] = set()

    def admit(self, row: Row, original: Row | None = None) -> bool:
        """Adds a row and returns True if it is unlike all admitted rows; its original may be like it."""
        cleaned = replace(row, message=clean_message(row))
        message = " ".join(cleaned.user.lower().split())
        if message in self.messages:
            return False
        shingle_sets = [shingles(self.text_of(version)) for version in dict.fromkeys((row, cleaned))]
        signatures = [minhash(shingle_set) for shingle_set in shingle_sets]
        for shingle_set, signature in zip(shingle_sets, signatures, strict=True):
            for key in self.lsh.query(signature):
                if self.owners[key] is not original and jaccard(shingle_set, self.sets[key]) >= MAX_JACCARD:
                    return False
        for shingle_set, signature in zip(shingle_sets, signatures, strict=True):
            self.lsh.insert(len(self.sets), signature)
            self.sets.append(shingle_set)
            self.owners.append(row)
        self.messages.add(message)
        return True

    def first_new(self, make: Callable[[], Row]) -> Row:
        """Makes rows until one is admitted, and returns it."""
        for _ in range(2000):
            row = make()
            if self.admit(row):
                return row
        raise RuntimeError("no new row found: the phrase tables are too small for this many rows")
