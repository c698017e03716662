"""The text of a row that would reveal a held-out row: its question, and question and answer together.

A system prompt is not part of it: many rows have the same one.
"""

import hashlib
from collections.abc import Iterator

from stages.rows import parts
from stages.rows.row import Row
from stages.similarity.forms import plain_form
from stages.similarity.shingles import plain
from stages.similarity.sides import sides, turn_text


def question_hash(row: Row) -> bytes:
    """Hash of the normalised question, all turns before the last answer; `b""` for texts, which have none."""
    return b"" if row.kind == "text" else hash_text(sides(row.content).question)


def hash_text(question: str) -> bytes:
    """Hash of a normalised question."""
    return hashlib.blake2b(plain(plain_form(question)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def comparable_text(row: Row) -> str:
    """The text that near-duplicates are found by: question and answer; of a pair the chosen one."""
    found = sides(row.content)
    return "\n".join(text for text in (found.question, found.answer) if text)


def hashes_of_turns(row: Row) -> Iterator[bytes]:
    """A hash of each start of a row's turns, normalised, the whole last; of a pair with the chosen answer."""
    split = parts.split(row.content)
    digest = hashlib.blake2b(digest_size=16)
    for turn in (*split.prompt, *split.answer):
        if turn.role != "system":
            digest.update(f"{turn.role}\0{plain(plain_form(turn_text(turn)))}\0".encode("utf-8", "surrogatepass"))
            yield digest.digest()
