"""Requests of several endpoints side by side."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from modelmake.progress import ProgressBar
from stages.augmenting.teacher import Teacher

T, Result = TypeVar("T"), TypeVar("Result")


def run(
    do: Callable[[T], Result], items: Sequence[T], parallel: int, endpoints: Sequence[Teacher], title: str, unit: str
) -> list[Result]:
    """What `do` returns for each item, in order. If one fails, the endpoints send nothing more; at the end they close.

    Args:
        title, unit: of the progress bar.
    """
    results: list[Result] = []
    progress = ProgressBar(len(items), title, unit)
    try:
        with ThreadPoolExecutor(parallel) as pool:
            try:
                for result in pool.map(do, items):
                    results.append(result)
                    progress.update(1)
            except BaseException:
                for endpoint in endpoints:
                    endpoint.stop()
                raise
    finally:
        for endpoint in endpoints:
            endpoint.close()
    return results
