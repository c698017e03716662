"""Marks of images, sounds and films in texts: `<image>`, as LLaVA's files have it where a picture goes.

A row has texts alone, so a mark that stays in a text teaches questions about pictures that nobody shows.
"""

import re
from collections.abc import Container, Iterator

from stages.rows import parts
from stages.rows.row import Chat, Content, Judged, Pair, Text

NAME = r"<\|?(image|video|audio)(?:_pad|_?\d+)?\|?>"
MARK = re.compile(rf"^\s*{NAME}|{NAME}\s*$", re.MULTILINE)  # at an end of a line: within, a text may be about the mark


def marks(content: Content, allowed: Container[str]) -> dict[str, str]:
    """{`<image>`: the text that has the mark} of what stands in questions, or in texts, and is not allowed."""
    found: dict[str, str] = {}
    for text in _texts(content):
        for mark in MARK.finditer(text) if "<" in text else ():
            kind = mark[1] or mark[2]
            if f"<{kind}>" not in allowed and f"</{kind}>" not in text:  # a pair of tags is XML
                found.setdefault(f"<{kind}>", text)
    return found


def _texts(content: Content) -> Iterator[str]:
    if isinstance(content, Chat | Pair | Judged):
        yield from (turn.content for turn in parts.split(content).prompt)
    elif isinstance(content, Text):
        yield content.text
