"""The text of a row that would reveal a held-out row: its question, and question and answer together."""

import hashlib

from stages.rows.row import Chat, Pair, Row, Text
from stages.rows.texts import content_texts
from stages.similarity.shingles import plain


def question_hash(row: Row) -> bytes:
    """Hash of the normalised question, all turns before the last answer; `b""` for texts, which have none."""
    if isinstance(row.content, Text):
        return b""
    turns = row.content.prompt if isinstance(row.content, Pair) else row.content.messages[:-1]
    return hashlib.blake2b(plain(" ".join(m.content for m in turns)).encode(), digest_size=16).digest()


def comparable_text(row: Row) -> str:
    """The text that near-duplicates are found by: a chat's texts; of a pair those of the prompt and chosen answer."""
    content = row.content
    if isinstance(content, Pair):
        content = Chat([*content.prompt, *content.chosen])
    return "\n".join(content_texts(content))
