"""What of a row would give a held-out one away: its question, and what it says as a whole."""

import hashlib

from modelmake.shingles import plain
from stages import rows


def asked(row: rows.Row) -> bytes:
    """What tells rows apart that ask something else; nothing where a row asks nothing."""
    if isinstance(row.content, rows.Text):
        return b""
    turns = row.content.prompt if isinstance(row.content, rows.Pair) else row.content.messages[:-1]
    return hashlib.blake2b(plain(" ".join(m.content for m in turns)).encode(), digest_size=16).digest()


def text(row: rows.Row) -> str:
    """What would give an answer away: a conversation, or a pair's prompt with its chosen answer."""
    content = row.content
    if isinstance(content, rows.Pair):
        content = rows.Chat([*content.prompt, *content.chosen])
    return "\n".join(rows.texts(content))
