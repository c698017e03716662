"""The seam to a project's domain: modelmake reads files and tables of rows; the project says what is in them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

Distances = dict[str, float]  # {tensor or place of a number: absolute difference}
Compare = Callable[[Path, Path], Distances | None]  # None: the files differ in more than numbers


class Near(NamedTuple):
    """A build's criterion for near-duplicates."""

    threshold: float  # Jaccard similarity
    chars: int  # of a shingle


class Similarity(Protocol):
    """The similarity of rows, as the project defines it; a module with these functions will do."""

    def criterion(self, parameters: Iterable[Any]) -> Near:
        """The loosest criterion in the parameters of some stages."""

    def text(self, content: Any) -> str:
        """A row's content as one text."""

    def similar(self, text: str, index: Any, criteria: set[Near]) -> tuple[dict[int, dict[int, float]], set[int]]:
        """{row: {chars: similarity}} of similar rows in a `RowIndex`, and rows whose text is no longer in the cache."""

    def uncompared(self, index: Any) -> int:
        """The number of rows that could not be compared, because their text was not in the cache."""


@dataclass(frozen=True)
class Domain:
    model_suffixes: frozenset[str]  # of files that make an output a model
    compare: Mapping[str, Compare]  # {suffix: distance of two files}
    similarity: Similarity
