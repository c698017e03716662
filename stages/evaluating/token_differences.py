"""How far a quantized model's predictions of tokens are from those of the model that it was made from.

The yardsticks are those of llama.cpp's `llama-perplexity --kl-divergence` and of its check of converted models
(`check-nmse.py`): the KL divergence of the two distributions of each token, the share of tokens with the same likeliest
token, both perplexities, and the squared error of logits over their variance. Logits are compared less their mean over
the vocabulary: adding a number to all of them changes no probability.
"""

import sys
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from modelmake.errors import UserError
from stages.evaluating import resumable_batches
from stages.evaluating.forced import Forced, Reader


class OfRow(NamedTuple):
    """Of the predicted tokens of a row; sums, but for `kl`."""

    kl: list[float]  # nats, of each token: of the file's distribution from the model's
    model_nats: float  # negative log-likelihood
    file_nats: float
    same_top: int
    error: float  # squared, of logits
    spread: float  # squared distances of the model's logits from their mean


def of_piece(model: np.ndarray, file: np.ndarray, targets: Sequence[int]) -> OfRow:
    """The differences of two (t, V) logits; `targets` are the t tokens that are there."""
    a, b = (logits.astype(np.float64) for logits in (model, file))
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    log_p, log_q = _log_softmax(a), _log_softmax(b)
    kl = np.maximum((np.exp(log_p) * (log_p - log_q)).sum(1), 0)  # rounding may leave less than 0
    rows = np.arange(len(targets))
    same = int((a.argmax(1) == b.argmax(1)).sum())
    nats = (float(-logs[rows, targets].sum()) for logs in (log_p, log_q))
    return OfRow(kl.tolist(), *nats, same, float(((a - b) ** 2).sum()), float((a**2).sum()))


def measure(rows: Sequence[Forced], model: Reader, file: Reader, where: str, checkpoint: Path) -> list[OfRow]:
    """The differences of each row. Finished rows are kept in `checkpoint`, and read from there after a kill.

    Raises:
        UserError: the two have not as many tokens, or one computes what is no number.
    """
    if model.vocab != file.vocab:
        raise UserError(f"{where}: predicts {file.vocab} tokens: want {model.vocab}, as its model does")

    def work(batch: Sequence[Forced]) -> list[OfRow]:
        [row] = batch
        found, targets = [], iter(row.targets())
        for ours, theirs in zip(model.logits(row), file.logits(row), strict=True):
            if not np.isfinite(ours).all():
                raise UserError(
                    f"{where}: the model that it was made from computes what is no finite number: want a model with "
                    "finite weights, in a dtype that has room for what it computes"
                )
            if not np.isfinite(theirs).all():
                raise UserError(f"{where}: computes what is no finite number: quantize it to a type of more bits")
            found.append(of_piece(ours, theirs, [next(targets) for _ in ours]))
        return [added(found)]

    return [OfRow(*found) for _, [found] in resumable_batches.run(rows, 1, work, checkpoint)]


def added(parts: Sequence[OfRow]) -> OfRow:
    """The differences of several pieces or rows as those of one."""
    kl = [nats for part in parts for nats in part.kl]
    return OfRow(kl, *(sum(column) for column in list(zip(*parts, strict=True))[1:]))


def summary(rows: Sequence[OfRow]) -> dict[str, Any]:
    """{tokens, mean_kl, kl_99_9, same_top, nmse, perplexity: {model, file}, perplexity_ratio}; {tokens: 0} of none.

    Percentiles are interpolated, as in llama.cpp. Numbers have six digits. What is infinite is the largest number: JSON
    has no infinity. So is `nmse` of an error beside a model whose logits are all the same.
    """
    if not rows:
        return {"tokens": 0}
    kl, model_nats, file_nats, same, error, spread = added(rows)
    n = len(kl)
    return {
        "tokens": n,
        "mean_kl": _digits(sum(kl) / n),
        "kl_99_9": _digits(np.percentile(kl, 99.9)),
        "same_top": _digits(same / n),
        "nmse": _digits(error / spread if spread else inf if error else 0),
        "perplexity": {"model": _perplexity(model_nats / n), "file": _perplexity(file_nats / n)},
        "perplexity_ratio": _perplexity((file_nats - model_nats) / n),
    }


def _digits(number: Any) -> float:
    return float(f"{min(number, sys.float_info.max):.6g}")


def _perplexity(nats: float) -> float:
    with np.errstate(over="ignore"):
        return _digits(np.exp(nats))


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
