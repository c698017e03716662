"""The text of a row that would reveal a held-out row: its question, and question and answer together.

A system prompt is not part of it: many rows have the same one.
"""

import hashlib

from stages.rows.row import Row
from stages.similarity.shingles import plain
from stages.similarity.sides import Sides, is_text, sides


def question_hash(row: Row) -> bytes:
    """Hash of the normalised question, all turns before the last answer; `b""` for texts, which have none."""
    found = sides(row.content)
    return b"" if is_text(found) else hash_question(found)


def hash_question(found: Sides) -> bytes:
    """Hash of the normalised question of a row with these sides."""
    return hashlib.blake2b(plain(found.question).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def comparable_text(row: Row) -> str:
    """The text that near-duplicates are found by: question and answer; of a pair the chosen one."""
    found = sides(row.content)
    return "\n".join(text for text in (found.question, found.answer) if text)
