"""Answers that refuse: a model trained on them learns to refuse."""

from collections.abc import Iterable
from functools import lru_cache

from stages.rows.row import Chat, Content, Text

MAX_START_CHARS = 1000  # of an answer that are looked at


def find_refusal(content: Content, phrases: Iterable[str]) -> str | None:
    """The first phrase that the answer to learn begins with, as whole words, case ignored; None if there is none."""
    if isinstance(content, Text):
        return None
    answers = content.messages[-1:] if isinstance(content, Chat) else content.chosen
    for answer in answers:
        start = fold(answer.content[:MAX_START_CHARS])
        for phrase in phrases:
            folded = _fold_phrase(phrase)
            if start.startswith(folded) and not start[len(folded) : len(folded) + 1].isalnum():  # not "as an aid"
                return phrase
    return None


def fold(text: str) -> str:
    """The text without case, with straight apostrophes."""
    return text.casefold().replace("’", "'")


@lru_cache(maxsize=1024)
def _fold_phrase(phrase: str) -> str:
    return fold(phrase)
