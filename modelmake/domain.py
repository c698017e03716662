"""What a project tells modelmake about its data: the files of a model, the distance of two files or rows, its gates.

modelmake itself reads files, and tables of rows by their columns. The `modelmake` command of the project passes a
`Domain` to the commands that need one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Distances = dict[str, float]  # {place of a number: absolute difference}
Compare = Callable[[Path, Path], Distances | None]  # of two files; None: they differ in more than numbers
# (what a stage will take, what this machine lacks for it), of the project's folder and an item of the stage
Needs = Callable[[Path, str], tuple[list[str], list[str]]]
# (why the build of a commit may not ship, a phrase each; the files that decided), of the project's folder, the commit
# and a path in it that ships
Gates = Callable[[Path, str, str], tuple[list[str], list[str]]]
Figures = Callable[[Path, str], dict[str, float]]  # {name: figure} of the build of a commit, to tell versions apart
Parts = Callable[[Path, str], dict[str, str]]  # {part of a model's file: hash}, of its bytes and its name
Bill = Callable[[Any], dict[str, Any]]  # the CycloneDX document of a release: of a receipts.released.Released
Criterion = Any  # of near-duplicates: a NamedTuple of JSON values


class Similarity(Protocol):
    """Near-duplicates of rows. A module with these functions will do. `index` is a tracing.row_index.RowIndex."""

    def criteria(self, parameters: Any) -> set[Criterion]:
        """The criteria in the parameters of a stage."""

    def loosest(self, criteria: Iterable[Criterion]) -> Criterion:
        """The criterion of a build whose stages have these; a default where they have none."""

    def text(self, content: Any) -> str:
        """A row's content as one text, to search by and to print."""

    def similar(
        self, text: str, index: Any, criteria: set[Criterion]
    ) -> tuple[dict[int, dict[Criterion, float]], set[int]]:
        """{row: {criterion that it meets: similarity}}, and rows whose content is no longer in the cache."""

    def uncompared(self, index: Any) -> int:
        """The number of rows that cannot be found by their text, because the cache never had their content."""


@dataclass(frozen=True)
class Domain:
    model_suffixes: frozenset[str]  # an output with such a file is a model
    compare: Mapping[str, Compare]  # {suffix: the distance of two files}
    similarity: Similarity
    probe: Mapping[str, Mapping[str, Any]]  # {module of a stage: {pattern of a parameter: value on few rows}}
    needs: Mapping[str, Needs]  # {module of a stage: what it will take of the machine}
    gates: Gates
    figures: Figures
    parts: Parts
    bill: Bill
