"""Metrics of held-out rows as means of rows. TRL's are means of batches, though the last one may be smaller."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def by_row(metrics: dict[str, list[float]], n_rows: int) -> Iterator[None]:
    """Counts each value that is appended within, a mean of `n_rows` rows, as often."""
    known = {name: len(values) for name, values in metrics.items()}
    yield
    for name, values in metrics.items():
        values += values[known.get(name, 0) :] * (n_rows - 1)
