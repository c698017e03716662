"""Paraphrase: the last question in other words, with the row's own answer."""

from collections.abc import Sequence

from stages.augmenting.requests import Session
from stages.params.augmentation import Rewrite
from stages.rows.row import Chat, Message

TEMPLATE = "rewrite.txt"


def make(seeds: Sequence[Chat], session: Session, params: Rewrite) -> Chat:
    """The chat with its last question paraphrased."""
    *before, question, answer = seeds[0].messages
    text = session.question(session.prompt(TEMPLATE, question=question.content))
    return Chat([*before, Message("user", text), answer])
