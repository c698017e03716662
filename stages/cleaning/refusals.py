"""Answers that refuse: who learns them refuses."""

from collections.abc import Iterable
from functools import lru_cache

from stages.rows.row import Chat, Content, Text


def refusal(content: Content, begins: Iterable[str]) -> str | None:
    """Which of these the answer to be learnt begins with, as a word, case ignored; None where with none."""
    if isinstance(content, Text):
        return None
    answers = content.messages[-1:] if isinstance(content, Chat) else content.chosen
    for answer in answers:
        said = plain(answer.content[:1000])
        for begin in begins:
            start = _begin(begin)
            if said.startswith(start) and not said[len(start) : len(start) + 1].isalnum():  # "as an ai", no "as an aid"
                return begin
    return None


def plain(text: str) -> str:
    """The text without case, its apostrophes straight."""
    return text.casefold().replace("’", "'")


@lru_cache(maxsize=1024)
def _begin(text: str) -> str:
    return plain(text)
