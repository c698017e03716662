"""What of a row would give a held-out one away: its question, and what it says as a whole."""

import hashlib

from stages.rows.row import Chat, Pair, Row, Text
from stages.rows.texts import content_texts
from stages.similarity.shingles import plain


def asked(row: Row) -> bytes:
    """What tells rows apart that ask something else; nothing where a row asks nothing."""
    if isinstance(row.content, Text):
        return b""
    turns = row.content.prompt if isinstance(row.content, Pair) else row.content.messages[:-1]
    return hashlib.blake2b(plain(" ".join(m.content for m in turns)).encode(), digest_size=16).digest()


def text(row: Row) -> str:
    """What would give an answer away: a conversation, or a pair's prompt with its chosen answer."""
    content = row.content
    if isinstance(content, Pair):
        content = Chat([*content.prompt, *content.chosen])
    return "\n".join(content_texts(content))
