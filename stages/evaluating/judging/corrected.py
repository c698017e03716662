"""The judge's mean score, corrected by people's (prediction-powered inference; Angelopoulos et al. 2023,
arXiv:2301.09633).

A judge errs in one direction, so that its own mean, and the interval around it, may miss what people would say however
many answers it judges. People mark a random sample of the answers. The mean of their score minus the judge's on these
is added to the judge's mean on all. Answers that cannot be judged otherwise (equal ones of a pair) need no correction.

A row has five numbers: the judge's score, 1; people's score less the judge's, 1 if people marked it; 1 if it can be
judged otherwise. Of sums of them `combine` makes the value, so that draws of rows carry the uncertainty of both parts.
"""

from typing import Any

NAME = "judged_corrected"
UNCOUNTED = (0.0,) * 5


def statistics(judged: float, people: float | None, open: bool) -> tuple[float, ...]:
    """The numbers of a row.

    Args:
        people: the score that they gave; None where nobody did.
        open: whether the answer can be judged otherwise.
    """
    return judged, 1.0, 0.0 if people is None else people - judged, float(people is not None), float(open)


def combine(sums: Any) -> Any:
    """(..., 5) sums → (...) scores; 0 where no row was counted, or none of those that people would have to mark."""
    import numpy as np

    judged, rows, errors, marked, open = np.moveaxis(np.asarray(sums, float), -1, 0)
    correction = np.divide(errors, marked, out=np.zeros_like(errors), where=marked > 0)
    value = (judged + open * correction) / np.where(rows > 0, rows, 1)
    return np.where((rows == 0) | ((open > 0) & (marked == 0)), 0.0, value)


def is_borne_out(sums: Any) -> Any:
    """(..., 5) sums → (...) whether they have a score: some row was counted, and people marked some of those that they
    would have to.
    """
    rows, marked, open = sums[..., 1], sums[..., 3], sums[..., 4]
    return (rows > 0) & ((marked > 0) | (open == 0))


def moves_of_marks(sums: Any) -> Any:
    """(..., groups, 5) → (..., groups): the part of each group's move that is people's marks of it.

    With twice as many marks of the same answers it is half as large; the rest of the move stays.
    """
    import numpy as np

    groups, errors, marked = sums.shape[-2], sums[..., 2], sums[..., 3]
    _, all_rows, all_errors, all_marked, all_open = np.moveaxis(sums.sum(axis=-2, keepdims=True), -1, 0)
    per_mark = groups * all_open / (np.maximum(all_rows, 1) * np.maximum(all_marked, 1))
    return per_mark * (errors - marked * all_errors / np.maximum(all_marked, 1))


def weights(sums: Any) -> Any:
    """(..., groups, 5) → (..., groups): by how much a group can move the value, 1 for an average one of a mean.

    A group that people marked speaks for all that they did not.
    """
    import numpy as np

    groups, rows, marked, open = sums.shape[-2], sums[..., 1], sums[..., 3], sums[..., 4]
    all_rows, all_marked = (np.maximum(counts.sum(axis=-1, keepdims=True), 1) for counts in (rows, marked))
    share = open.sum(axis=-1, keepdims=True) / all_rows
    return groups * np.maximum(rows / all_rows, share * marked / all_marked)
