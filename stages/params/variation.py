"""Variants: suites of rows from elsewhere, or of rows whose questions are written otherwise."""

from typing import ClassVar, Literal

from modelmake.params import Params
from stages.params.numbers import Fraction


class Variant(Params):
    """A suite made of other rows. Its name has an entry in `suites` and in `answer`, as that of any suite."""

    section: ClassVar[str] = "evaluate.variants.{variant}"

    rows: str  # data/splits/test/<suite>.jsonl, or a file of chats in any format that `ingest` reads
    system_prompt: Literal["keep", "drop"]
    typos: Fraction  # of the words of users that get a slip of the keyboard
    spaces: Fraction  # of the gaps between words of users that get lost or doubled
    case: Literal["keep", "lower", "upper"]  # of what users write
    seed: int

    def edits(self) -> bool:
        """Whether rows are written otherwise."""
        return self.typos > 0 or self.spaces > 0 or self.case != "keep" or self.system_prompt == "drop"
