"""The last question in other words, with the row's answer."""

from collections.abc import Sequence

from stages.augmenting.requests import Asking
from stages.params.augmentation import Rewrite
from stages.rows.row import Chat, Message

TEMPLATE = "rewrite.txt"


def make(seeds: Sequence[Chat], asking: Asking, params: Rewrite) -> Chat:
    """The same turns, but for the last question."""
    *before, question, answer = seeds[0].messages
    text = asking.question(asking.filled(TEMPLATE, question=question.content))
    return Chat([*before, Message("user", text), answer])
