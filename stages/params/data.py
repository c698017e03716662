"""Data: from raw files to leak-free splits."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params

Fraction = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[int, Meta(ge=1)]


class Documents(Params):
    """How a document becomes rows; all of them go to one split."""

    max_chars: Positive  # of a piece: every section is one, a longer one is cut at blank lines, nothing is left out
    headings: bool  # also ask for the heading of each section, given its first paragraph that ends in a full stop


class Files(Params):
    """Some raw files, and how their records are read."""

    glob: str  # of names below `raw`; * is any text, folders too
    format: str | None  # a module of stages/formats; null: told by the fields
    fields: dict[str, str] | None  # {field of the format: the file's own, dots lead into objects}; null: as they are


class Ingest(Params):
    section: ClassVar[str] = "ingest"

    raw: str  # folder of raw files, or one file
    files: list[Files]  # the first whose glob fits says how a file is read, others are left out; []: all files
    max_rejected_fraction: Fraction  # more unusable records than this fail the stage
    documents: Documents | None  # null rejects them


class Clean(Params):
    section: ClassVar[str] = "clean"

    max_chars: Positive  # of a row's whole text; longer rows are dropped
    pii: list[Literal["email", "phone", "iban", "card"]]  # replaced by [EMAIL], [PHONE], …
    refusals: list[str]  # an answer that begins so (case ignored) drops its row


class Near(Params):
    """MinHash LSH with exact verification; what counts as a near-duplicate."""

    threshold: Fraction  # Jaccard similarity of the sets of shingles, verified exactly
    shingle_chars: Positive  # after lower-casing and collapsing white space
    permutations: Positive
    bands: Positive
    seed: int
    threads: Positive  # of the CPU; other numbers give the same pairs

    def problems(self) -> list[str]:
        if self.bands > self.permutations:
            return [f"bands = {self.bands}: want at most permutations = {self.permutations}"]
        return []


class Dedup(Params):
    section: ClassVar[str] = "dedup"

    near: Near


class Split(Params):
    section: ClassVar[str] = "split"

    val_fraction: Fraction
    test_fraction: Fraction
    val_from_train: bool  # val_fraction of the rows that the source gives to train go to val: it gives no val itself
    near: Near  # a row this similar to one in test (or val) is dropped from val and train (from train)

    def problems(self) -> list[str]:
        if self.val_fraction + self.test_fraction >= 1:
            return [
                f"val_fraction + test_fraction = {self.val_fraction + self.test_fraction}: want below 1, "
                "or nothing is left to train on"
            ]
        return []
