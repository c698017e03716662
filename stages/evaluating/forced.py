"""Conversations that are there already: models predict some of their tokens from those before, and write none."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np

HELD_LOGITS = 1 << 23  # of a piece, 32 MiB


class Piece(NamedTuple):
    """Tokens that are read in one go, after those of the pieces before."""

    ids: list[int]
    outputs: list[int]  # places in `ids` after which a token is predicted


class Forced(NamedTuple):
    """The tokens of a conversation, and the places of those that are predicted; 0 cannot be."""

    ids: list[int]
    at: list[int]  # ascending

    def targets(self) -> list[int]:
        """The tokens that are predicted."""
        return [self.ids[place] for place in self.at]

    def pieces(self, vocab: int) -> Iterator[Piece]:
        """What has to be read to predict them, in pieces whose logits, `vocab` for each token, take bounded memory."""
        step, start = max(1, HELD_LOGITS // vocab), 0
        for first in range(0, len(self.at), step):
            at = self.at[first : first + step]
            yield Piece(self.ids[start : at[-1]], [place - 1 - start for place in at])
            start = at[-1]


class Reader(Protocol):
    """A model in its runtime."""

    vocab: int

    def logits(self, forced: Forced) -> Iterator["np.ndarray"]:
        """(t, vocab) float32 for each piece: logits of the tokens that are predicted in it."""
