"""Data: from raw files to leak-free splits, their mix and their datasheet."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params
from stages.params import model_path
from stages.params.numbers import Fraction, Positive
from stages.rows.timestamps import utc_timestamp


class Documents(Params):
    """How a document becomes rows; all of them go to one split."""

    max_chars: Positive  # of a piece: every section is one, a longer one is cut at blank lines, nothing is left out
    headings: bool  # also ask for the heading of each section, given its first paragraph that ends in a full stop


class FileRule(Params):
    """How the raw files whose names match a glob are read."""

    glob: str  # of names below `raw`; * matches any text, folders too
    format: str | None  # a module of stages/reading/formats; null: detected by the fields of each record
    fields: dict[str, str | None] | None  # {field of the format, or split, group, time: field of the file}; dots lead
    # into objects, numbers into lists, * makes a record of each item; a field that is null is not taken; null: the
    # file has the fields of a format
    ignore: list[str]  # fields of the file that are left out: paths, * is any element of a list (`messages.*.weight`)


class Ingest(Params):
    section: ClassVar[str] = "ingest"

    raw: str  # folder of raw files, or one file
    files: list[FileRule]  # the first whose glob matches a file applies, other files are left out; []: all files
    max_rejected_fraction: Fraction  # of unusable records; more fail the stage
    documents: Documents | None  # null rejects them
    judged: Literal["rows", "pairs"]  # answers found good or bad: `rows` of kind judged; `pairs`: a good one becomes a
    # chat, a bad one the rejected side of a pair with a good one
    splits: Literal["given", "none"]  # given: those of names of files and arrays, and of fields; none: they are not
    # taken, and `split` decides on every row


class Near(Params):
    """Near-duplicates: candidates by MinHash LSH, each verified exactly. For dedup and split; augment takes split's."""

    threshold: Fraction  # Jaccard similarity of the sets of shingles, of questions and of answers
    shingle_chars: Positive  # after lower-casing and collapsing white space
    permutations: Positive
    bands: Positive
    seed: int
    threads: Positive  # of the CPU; any number gives the same pairs

    def problems(self) -> list[str]:
        if self.bands > self.permutations:
            return [f"bands = {self.bands}: want at most permutations = {self.permutations}"]
        return []


class Semantic(Params):
    """Rows that say the same in other words: neighbours by their embeddings of `Dedup.encoder`, compared exactly."""

    threshold: Fraction  # cosine of two embeddings, of questions and of answers
    neighbours: Positive  # nearest ones that each row is compared with
    max_tokens: Positive  # special ones included; longer rows are not compared, and stay
    batch_size: Positive  # rows embedded at once; memory


class Dedup(Params):
    section: ClassVar[str] = "dedup"

    near: Near
    encoder: str  # folder of an encoder, or a pin of one of the hub; recipes/no_encoder.json: none
    semantic: Semantic | None  # null: texts are compared, embeddings are not
    conflicting: Literal["keep", "drop"]  # rows that ask the like of another row and answer otherwise: in any case they
    # are listed; `drop` keeps one of them
    max_dropped_fraction: Fraction  # of rows; more fail the stage

    def path_problems(self, base_is_tiny: bool) -> list[str]:
        """Why `encoder` cannot be read; empty if it can."""
        return model_path.problems("encoder", self.encoder, "dedup", base_is_tiny, model_path.NO_ENCODER)

    def modules(self) -> list[str]:
        return ["stages.similarity.semantic"] if self.semantic else []


class TimeSplit(Params):
    """Rows are split by their time, the field `time` of `FileRule.fields`."""

    val_from: str  # ISO 8601, in quotes; UTC where it names no zone, a day is its first second
    test_from: str

    def problems(self) -> list[str]:
        problems = []
        for name in ("val_from", "test_from"):
            try:
                utc_timestamp(getattr(self, name))
            except ValueError as error:
                problems.append(f"{name} = {error}")
        if not problems and utc_timestamp(self.val_from) > utc_timestamp(self.test_from):
            problems.append(f"val_from = {self.val_from!r}: want it no later than test_from = {self.test_from!r}")
        return problems


class Golden(Params):
    """Chats that are never trained on and only ever change on purpose; `data/splits/test/golden.jsonl` has them."""

    rows: str  # a file of any format; a file with one blank line: none
    sha256: str  # of the file


class Decontaminate(Params):
    """Drops rows of train and val that share a run of words with an evaluation set, ignoring case and signs."""

    sets: str  # folder of evaluation sets, in files of any fields; an empty folder: none
    words: Positive  # of a run
    min_words: Positive  # of a shorter text of a set, which is compared with whole turns


class Split(Params):
    section: ClassVar[str] = "split"

    val_fraction: Fraction
    test_fraction: Fraction
    time: TimeSplit | None  # in place of fractions; a row without a time goes to train. null: by hash
    golden: Golden
    decontaminate: Decontaminate
    val_from_train: bool  # takes val_fraction of the train rows that the source gives for val, if it gives no val
    near: Near  # a row this similar to one in test (or val) is dropped from val and train (from train)
    max_dropped_fraction: Fraction  # of the rows of train and val, as leaks or contaminated; more fail the stage

    def problems(self) -> list[str]:
        if self.val_fraction + self.test_fraction >= 1:
            return [
                f"val_fraction + test_fraction = {self.val_fraction + self.test_fraction}: want below 1, "
                "or nothing is left to train on"
            ]
        return []


class Source(Params):
    """A group of rows that `mix` weighs as one."""

    files: list[str]  # globs of names below ingest.raw; * matches any text, folders too. A row is of the source with
    # the longest glob that matches, of equally long ones the first by name. A row generated by augment's METHOD is of
    # the file augment:METHOD
    weight: Annotated[float, Meta(ge=0)]  # relative to the other sources, in each kind of rows
    general: bool  # general data, to keep what the base model knew; not of the task
    synthetic: bool | None  # written by a model or a program; rows of augment are so anyway. null: nobody knows


Share = tuple[Fraction, Fraction]  # least, most


class Targets(Params):
    """The wanted range of each share of the mixed rows of a kind. Shares outside are reported, no error. null: any."""

    general: Share | None  # rows of general sources; 0.1 to 0.3 is usual
    synthetic: Share | None  # rows of synthetic sources, and rows of augment
    multi_turn: Share | None  # chats and pairs with more than one question
    system: Share | None  # chats and pairs with a system prompt

    def problems(self) -> list[str]:
        return [
            f"{name} = {list(share)}: want the least share first"
            for name in self.__struct_fields__
            if (share := getattr(self, name)) and share[0] > share[1]
        ]


class Mix(Params):
    section: ClassVar[str] = "mix"

    sources: dict[str, Source]
    max_epochs: Annotated[float, Meta(ge=1)]  # of a source in one pass over the mix: a small one limits the others; up
    # to 4 are nearly as good as new rows (Muennighoff et al. 2023, arXiv:2305.16264)
    seed: int
    targets: Targets

    def problems(self) -> list[str]:
        if not any(source.weight for source in self.sources.values()):
            return ["sources: none has a weight: want at least one above 0"]
        return [f"sources.{name}.files: is empty: want globs of raw files, such as [\"*\"]"
                for name, source in self.sources.items() if not source.files]  # fmt: skip


class Datasheet(Params):
    section: ClassVar[str] = "datasheet"

    license: str | None  # SPDX identifier of the rows' licence, or its address; card.license is that of the weights;
    # null: not declared
    sample_rows: Positive  # that annotators mark
    seed: int  # of the sample
    confidence: Annotated[float, Meta(gt=0, lt=1)]  # level of the error rate's interval
    examples: Positive  # rows shown with a warning, at most
    min_rows: Positive  # pairs, questions, rows of a label …: of fewer no audit says ok, and none warns of a share
    max_duplicates: tuple[Fraction, Fraction]  # share of rows that dedup drops: above the first a warning, above the
    # second a serious one
    max_label_share: Fraction  # of the rows that have labels
    max_length_bias: Fraction  # share of the pairs whose chosen answer is the longer one, or the shorter one
    max_length_ratio: Annotated[float, Meta(ge=1)]  # of the median answer of a label to that of all, either way

    def problems(self) -> list[str]:
        if self.max_duplicates[0] > self.max_duplicates[1]:
            return [f"max_duplicates = {list(self.max_duplicates)}: want the smaller share first"]
        return []
