"""BLEU of all answers together, by sacrebleu's n-grams: mixed case, tokenizer 13a, exponential smoothing, 0 to 100.

13a splits at spaces and marks. A text in Chinese is one token to it: `bleu_zh` is for these, and `chrf` for any
language. Answers with fewer than four tokens have no 4-gram; where all are such, BLEU is 0 even if they are right. So
an expected answer with fewer lacks what is compared.
"""

from functools import lru_cache
from typing import Any

from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric, Statistics
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 100, "Papineni et al. 2002, BLEU; Post 2018, sacreBLEU, arXiv:1804.08771: tok:13a")
ORDER = 4  # of the longest n-grams
TOKENIZER = "13a"


def usable(expected: Reply, suite: Suite) -> bool:
    return enough_tokens(expected, TOKENIZER)


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, Statistics]:
    return {"bleu": statistics(expected, answer, TOKENIZER)}


def enough_tokens(expected: Reply, tokenizer: str) -> bool:
    """True if an expected answer has as many tokens as the longest n-grams."""
    return statistics(Reply(expected.text), Reply(expected.text), tokenizer)[-1] > 0


def statistics(expected: Reply, answer: Reply, tokenizer: str) -> Statistics:
    """Tokens of the answer, and of the expected one; n-grams of each order in both; n-grams of each in the answer."""
    if expected.calls:
        return (0,) * (2 + 2 * ORDER)
    wanted = expected.text or " "  # sacrebleu refuses ""; neither has n-grams
    found = _scorer(tokenizer).sentence_score(answer.text, [wanted])
    return (found.sys_len, found.ref_len, *found.counts, *found.totals)


def combine(sums: Any) -> Any:
    """(..., 10) → (...) as sacrebleu's `compute_bleu` does with `smooth_method="exp"`."""
    import numpy as np

    answered, expected = sums[..., 0], sums[..., 1]
    common, made = sums[..., 2 : 2 + ORDER], sums[..., 2 + ORDER :]
    smoothed = 0.5 ** np.cumsum(common == 0, axis=-1)  # in place of each count of 0, half of the one before
    precisions = np.where(common == 0, smoothed, common) / np.maximum(made, 1)
    brevity = np.minimum(0.0, 1 - expected / np.maximum(answered, 1))
    scores = 100 * np.exp(brevity + np.log(precisions).mean(axis=-1))
    return np.where((common[..., 0] > 0) & (made[..., -1] > 0), scores, 0.0)


@lru_cache
def _scorer(tokenizer: str) -> Any:
    from sacrebleu.metrics import BLEU

    return BLEU(tokenize=tokenizer, effective_order=True)  # of one answer; its n-grams are the same
