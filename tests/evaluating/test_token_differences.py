"""Differences of predictions, by values that are worked out by hand."""

from collections.abc import Iterator
from math import exp, log
from pathlib import Path

import msgspec
import numpy as np
import pytest

from modelmake.errors import UserError
from stages.evaluating import token_differences
from stages.evaluating.forced import Forced
from stages.evaluating.token_differences import OfRow, added, of_piece, summary

HALVES = np.log(np.array([[0.5, 0.25, 0.25]], np.float32))
QUARTERS = np.log(np.array([[0.25, 0.5, 0.25]], np.float32))


def test_two_distributions_are_compared_by_their_whole_vocabulary() -> None:
    found = of_piece(HALVES, QUARTERS, [0])

    assert found.kl == pytest.approx([0.5 * log(2) - 0.25 * log(2)], rel=1e-6)
    assert found.model_nats == pytest.approx(log(2), rel=1e-6)
    assert found.file_nats == pytest.approx(log(4), rel=1e-6)
    assert found.same_top == 0
    # The logits of both are ln 2 above two others, less their mean: 2/3 ln 2, -1/3 ln 2, -1/3 ln 2, in another order.
    assert found.spread == pytest.approx(log(2) ** 2 * (4 + 1 + 1) / 9, rel=1e-5)
    assert found.error == pytest.approx(log(2) ** 2 * 2, rel=1e-5)


def test_kl_is_of_the_file_from_the_model_and_nmse_is_over_the_spread_of_the_model() -> None:
    wider = np.log(np.array([[0.8, 0.1, 0.1]], np.float32))

    found = of_piece(HALVES, wider, [0])

    assert found.kl == pytest.approx([0.5 * log(0.5 / 0.8) + 2 * 0.25 * log(0.25 / 0.1)], rel=1e-6)  # ln 1.25
    assert found.kl != pytest.approx([0.8 * log(0.8 / 0.5) + 2 * 0.1 * log(0.1 / 0.25)], rel=0.1)
    # Logits are ln 2 and ln 8 above the two others: spreads of 2/3 (ln 2)^2 and 6 (ln 2)^2, an error of 8/3 (ln 2)^2.
    assert summary([found])["nmse"] == pytest.approx(4, rel=1e-5)


def test_equal_predictions_differ_in_nothing_nor_do_those_with_a_number_added() -> None:
    for other in (HALVES, HALVES + np.float32(7)):
        found = of_piece(HALVES, other, [1])

        assert found.kl == pytest.approx([0], abs=1e-9) and found.kl[0] >= 0
        assert found.same_top == 1
        assert found.error == pytest.approx(0, abs=1e-9)
        assert found.file_nats == pytest.approx(found.model_nats)


def test_logits_beyond_what_exp_can_take_are_compared() -> None:
    found = of_piece(np.array([[1e4, 0, 0]], np.float32), np.array([[0, 1e4, 0]], np.float32), [0])

    assert found.kl == [pytest.approx(1e4)]
    assert (found.model_nats, found.file_nats) == (0, pytest.approx(1e4))


def test_a_summary_is_over_tokens_not_over_rows() -> None:
    rows = [OfRow([0.0, 0.2, 0.4], 3.0, 3.6, 2, 1.0, 10.0), OfRow([0.0], 1.0, 1.4, 1, 1.0, 10.0)]

    assert summary(rows) == {
        "tokens": 4,
        "mean_kl": 0.15,
        "kl_99_9": pytest.approx(0.3994),  # 0.997 of the way from 0.2 to 0.4
        "same_top": 0.75,
        "nmse": 0.1,
        "perplexity": {"model": pytest.approx(exp(1), rel=1e-5), "file": pytest.approx(exp(1.25), rel=1e-5)},
        "perplexity_ratio": pytest.approx(exp(0.25), rel=1e-5),
    }
    assert added(rows) == OfRow([0.0, 0.2, 0.4, 0.0], 4.0, 5.0, 3, 2.0, 20.0)


def test_an_error_beside_a_model_that_tells_no_token_from_another_is_beyond_all_bounds_in_json_too() -> None:
    level = np.zeros((1, 3), np.float32)
    steep = np.array([[0, 1e4, 0]], np.float32)

    found = summary([of_piece(level, steep, [0])])
    assert found["nmse"] > 1e308 and found["perplexity_ratio"] > 1e308
    assert msgspec.json.decode(msgspec.json.encode(found)) == found
    assert summary([of_piece(level, level, [0])])["nmse"] == 0


def test_nothing_predicted_has_no_figures() -> None:
    assert summary([]) == {"tokens": 0}


class Table:
    """A reader of hand-written logits, in pieces of one token."""

    def __init__(self, logits: np.ndarray) -> None:
        self._logits, self.vocab, self.read = logits, logits.shape[1], 0

    def logits(self, forced: Forced) -> Iterator[np.ndarray]:
        self.read += 1
        for place in forced.at:
            yield self._logits[place - 1 : place]


LOGITS = np.array([[0, 1, 2], [3, 1, 0], [1, 1, 5]], np.float32)
ROWS = [Forced([0, 1, 2], [1, 2]), Forced([2, 0], [1])]


def test_pieces_of_a_row_are_added_and_finished_rows_are_read_after_a_kill(tmp_path: Path) -> None:
    model, file, checkpoint = Table(LOGITS), Table(LOGITS[:, ::-1].copy()), tmp_path / "predictions.jsonl"

    found = token_differences.measure(ROWS, model, file, "a.gguf", checkpoint)
    assert [len(of_row.kl) for of_row in found] == [2, 1]
    assert found[0] == added([of_piece(LOGITS[at : at + 1], LOGITS[at : at + 1, ::-1], [at + 1]) for at in (0, 1)])

    lines = checkpoint.read_text().splitlines()
    checkpoint.write_text(lines[0] + "\n" + lines[1][:9])  # killed within the second
    again = Table(LOGITS)
    assert token_differences.measure(ROWS, again, file, "a.gguf", checkpoint) == found
    assert again.read == 1


def test_files_that_predict_other_tokens_or_no_numbers_are_errors(tmp_path: Path) -> None:
    wide, broken = Table(np.zeros((3, 4), np.float32)), Table(np.full((3, 3), np.nan, np.float32))

    with pytest.raises(UserError, match=r"^a\.gguf: predicts 4 tokens: want 3, as its model does$"):
        token_differences.measure(ROWS, Table(LOGITS), wide, "a.gguf", tmp_path / "a")
    with pytest.raises(UserError, match=r"^a\.gguf: computes what is no finite number: "):
        token_differences.measure(ROWS, Table(LOGITS), broken, "a.gguf", tmp_path / "b")
    with pytest.raises(UserError, match=r"^a\.gguf: the model that it was made from computes what is no finite number"):
        token_differences.measure(ROWS, broken, Table(LOGITS), "a.gguf", tmp_path / "c")
