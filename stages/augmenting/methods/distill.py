"""Distillation: the teacher answers in place of the row."""

from collections.abc import Sequence

from stages.augmenting.requests import Session
from stages.params.augmentation import Distill
from stages.rows.row import Chat, Message


def make(seeds: Sequence[Chat], session: Session, params: Distill) -> Chat:
    """The chat with its last answer replaced by the teacher's."""
    turns = seeds[0].messages[:-1]
    return Chat([*turns, Message("assistant", session.answer(turns))])
