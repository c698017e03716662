"""Conversations are read in pieces: each token before the last predicted one once, each prediction after its place."""

import pytest

from stages.evaluating import forced
from stages.evaluating.forced import Forced, Piece

IDS = [10, 11, 12, 13, 14, 15, 16]


def test_what_comes_after_the_last_predicted_token_is_not_read() -> None:
    assert [*Forced(IDS, [2, 4]).pieces(1000)] == [Piece([10, 11, 12, 13], [1, 3])]
    assert Forced(IDS, [2, 4]).targets() == [12, 14]


@pytest.mark.parametrize(
    ("logits", "pieces"),
    [
        (2000, [Piece([10, 11, 12], [0, 2]), Piece([13, 14, 15], [0, 2])]),
        (1000, [Piece([10], [0]), Piece([11, 12], [1]), Piece([13], [0]), Piece([14, 15], [1])]),
        (1, [Piece([10], [0]), Piece([11, 12], [1]), Piece([13], [0]), Piece([14, 15], [1])]),
    ],
)
def test_a_piece_predicts_as_many_tokens_as_its_logits_may_take(
    monkeypatch: pytest.MonkeyPatch, logits: int, pieces: list[Piece]
) -> None:
    monkeypatch.setattr(forced, "HELD_LOGITS", logits)

    assert [*Forced(IDS, [1, 3, 4, 6]).pieces(1000)] == pieces
    assert [token for piece in pieces for token in piece.ids] == IDS[:6]
