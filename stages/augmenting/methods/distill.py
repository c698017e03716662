"""The teacher's own answer in the place of the row's."""

from collections.abc import Sequence

from stages.augmenting.requests import Asking
from stages.params.augmentation import Distill
from stages.rows.row import Chat, Message


def make(seeds: Sequence[Chat], asking: Asking, params: Distill) -> Chat:
    """The same turns, the last one by the teacher."""
    turns = seeds[0].messages[:-1]
    return Chat([*turns, Message("assistant", asking.answer(turns))])
