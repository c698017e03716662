"""Data: from raw files to leak-free splits."""

import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params
from stages.rows.timestamps import utc_timestamp

Fraction = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[int, Meta(ge=1)]
NO_TOKENIZER = "recipes/no_tokenizer.json"  # stands where a path has to
BASE = Path("models/base")
NO_ENCODER = "recipes/no_encoder.json"  # the same
MODEL = re.compile(r"[\w/.-]+==[\w.]+")
LANGUAGE = re.compile("[a-z]{2}")


class Documents(Params):
    """How a document becomes rows; all of them go to one split."""

    max_chars: Positive  # of a piece: every section is one, a longer one is cut at blank lines, nothing is left out
    headings: bool  # also ask for the heading of each section, given its first paragraph that ends in a full stop


class Files(Params):
    """Some raw files, and how their records are read."""

    glob: str  # of names below `raw`; * is any text, folders too
    format: str | None  # a module of stages/reading/formats; null: told by the fields
    fields: dict[str, str] | None  # {field of the format, or split, group, time: the file's own; dots lead into
    # objects}; null: as they are


class Ingest(Params):
    section: ClassVar[str] = "ingest"

    raw: str  # folder of raw files, or one file
    files: list[Files]  # the first whose glob fits says how a file is read, others are left out; []: all files
    max_rejected_fraction: Fraction  # more unusable records than this fail the stage
    documents: Documents | None  # null rejects them


Kind = Literal["api_key", "iban", "national_id", "card", "email", "ip", "phone", "person", "location"]
Country = Literal[
    "AU", "BE", "BR", "CA", "CH", "CN", "DE", "DK", "ES", "FI", "FR", "GB", "IE", "IN", "IT", "NL", "NO", "PL", "PT",
    "SE", "SG", "TR", "US", "ZA",
]  # fmt: skip


class Turns(Params):
    """Turns of a chat or a prompt."""

    roles: Literal["alternating", "any"]  # a system turn first, then user and assistant in turn; other rows are dropped
    repeated: Literal["once", "drop", "keep"]  # where a turn, or a question with its answer, stands twice in a row


class Languages(Params):
    """A row that is surely in another language is dropped."""

    allowed: list[str]  # ISO 639-1
    min_letters: Positive  # in fewer a language can't be told: the row stays
    min_probability: Fraction  # below it the row stays

    def problems(self) -> list[str]:
        if bad := [code for code in self.allowed if not LANGUAGE.fullmatch(code)]:
            return [f"allowed: {bad[0]!r}: want a code of ISO 639-1, such as en"]
        return [] if self.allowed else ["allowed: is empty: want a language, or write languages: null"]


class Labels(Params):
    """Labels are counted, and perhaps capped."""

    field: str | None  # of the answers' JSON; null takes the whole answer
    max_chars: Positive  # longer values are free text, and no labels
    max_rows: (
        Positive | None
    )  # of a label: rows above it are dropped by their hash, but for a given val or test; null: all


class Presidio(Params):
    """What looks at the text that our patterns leave. It is slow: some hundred rows a second."""

    language: str  # ISO 639-1
    model: str | None  # spaCy's, as en_core_web_lg==3.8.0; null: patterns and checksums alone
    min_score: Fraction

    def problems(self) -> list[str]:
        if self.model is not None and not MODEL.fullmatch(self.model):
            return [f"model = {self.model!r}: want name==version, such as en_core_web_lg==3.8.0"]
        return []


class Pii(Params):
    """Personal data and secrets, by kind: replaced by [EMAIL], …; or their rows dropped; or counted only."""

    redact: list[Kind]
    drop: list[Kind]
    report: list[Kind]
    countries: list[Country]  # whose numbers national_id looks for
    presidio: Presidio | None  # null: our patterns alone

    def problems(self) -> list[str]:
        kinds = [*self.redact, *self.drop, *self.report]
        found = [f"{kind}: is named {kinds.count(kind)} times: want one action for it" for kind in dict.fromkeys(kinds)
                 if kinds.count(kind) > 1]  # fmt: skip
        if "national_id" in kinds and not self.countries:
            found.append("countries: is empty: want the countries whose national_id to look for, such as [US, DE]")
        if not (self.presidio and self.presidio.model):
            found += [f"{kind}: wants presidio with a model" for kind in ("person", "location") if kind in kinds]
        return found

    def modules(self) -> list[str]:
        return ["stages.pii.presidio"] if self.presidio else []


def _absent(field: str, model: str, stage: str, tiny: bool, none: str) -> list[str]:
    """What is wrong with a model's path, given whether base is a tiny one; models/base is there once it is built."""
    where = f"{field} = {model!r}"
    if Path(model) == BASE:
        told = f"a tiny base is made of the rows that {stage} gives: want another model's folder"
        return [f"{where}: {told}, or {none}"] if tiny else []
    return [] if Path(model).exists() else [f"{where}: no such file or folder; for none, write {none}"]


class Clean(Params):
    section: ClassVar[str] = "clean"

    max_chars: Positive  # of a row's whole text; longer rows are dropped
    max_tokens: Positive | None  # of a row as training counts them, by `tokenizer`; longer rows are dropped
    tokenizer: str  # a model's folder, models/base where base is no tiny one; recipes/no_tokenizer.json: none
    turns: Turns
    languages: Languages | None  # null: any
    labels: Labels | None  # null: there are none
    pii: Pii
    refusals: list[str]  # an answer that begins so (case ignored) drops its row

    def unmet(self, tiny: bool) -> list[str]:
        """What is wrong with `tokenizer`, given whether base is a tiny one."""
        if found := _absent("tokenizer", self.tokenizer, "clean", tiny, NO_TOKENIZER):
            return found
        if self.max_tokens and Path(self.tokenizer) != BASE and not Path(self.tokenizer).is_dir():
            where = f"tokenizer = {self.tokenizer!r}"
            return [f"{where}: want a model's folder with max_tokens = {self.max_tokens}, or max_tokens: null"]
        return []

    def modules(self) -> list[str]:
        return [
            *(["stages.cleaning.language"] if self.languages else []),
            *(["stages.cleaning.tokens"] if self.max_tokens else []),
            *self.pii.modules(),
        ]


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


class Semantic(Params):
    """Rows that say the same in other words: embeddings by `Dedup.encoder`, near ones of each compared exactly."""

    threshold: Fraction  # cosine of two embeddings
    neighbours: Positive  # of a row, the nearest, that are compared with it
    max_tokens: Positive  # special ones included; a longer row is not compared, and stays
    batch_size: Positive  # rows that are embedded at once; memory


class Dedup(Params):
    section: ClassVar[str] = "dedup"

    near: Near
    encoder: str  # folder of an encoder, or a pin of one of the hub; recipes/no_encoder.json: none
    semantic: Semantic | None  # null: what is written is compared, not what is meant

    def unmet(self, tiny: bool) -> list[str]:
        """What is wrong with `encoder`, given whether base is a tiny one."""
        return _absent("encoder", self.encoder, "dedup", tiny, NO_ENCODER)

    def modules(self) -> list[str]:
        return ["stages.similarity.semantic"] if self.semantic else []


class Times(Params):
    """Rows are split by when they are from, the field `time` of `Files.fields`."""

    val_from: str  # ISO 8601, in quotes; UTC where it names no zone, a day is its first second
    test_from: str

    def problems(self) -> list[str]:
        found = []
        for name in ("val_from", "test_from"):
            try:
                utc_timestamp(getattr(self, name))
            except ValueError as error:
                found.append(f"{name} = {error}")
        if not found and utc_timestamp(self.val_from) > utc_timestamp(self.test_from):
            found.append(f"val_from = {self.val_from!r}: want it no later than test_from = {self.test_from!r}")
        return found


class Golden(Params):
    """Chats that are never trained on and only ever change on purpose; `data/splits/test/golden.jsonl` has them."""

    rows: str  # a file of any format; one with a blank line, and no more: there are none
    sha256: str  # of the file


class Decontaminate(Params):
    """A row of train or val that shares a run of words, but for case and signs, with an evaluation set is dropped."""

    sets: str  # folder of evaluation sets, in files of any fields; an empty one: there are none
    words: Positive  # of a run
    min_words: Positive  # a shorter text of a set is held against whole turns, from so many words on


class Split(Params):
    section: ClassVar[str] = "split"

    val_fraction: Fraction
    test_fraction: Fraction
    time: Times | None  # in place of fractions; a row without a time goes to train. null: by hash
    golden: Golden
    decontaminate: Decontaminate
    val_from_train: bool  # val_fraction of the rows that the source gives to train go to val: it gives no val itself
    near: Near  # a row this similar to one in test (or val) is dropped from val and train (from train)

    def problems(self) -> list[str]:
        if self.val_fraction + self.test_fraction >= 1:
            return [
                f"val_fraction + test_fraction = {self.val_fraction + self.test_fraction}: want below 1, "
                "or nothing is left to train on"
            ]
        return []


class Source(Params):
    """Rows that are mixed as one."""

    files: list[str]  # globs of names below ingest.raw; * is any text, folders too. A row is of the first that fits.
    # A row that a model made by augment's METHOD is of augment:METHOD
    weight: Annotated[float, Meta(ge=0)]  # of its rows beside those of the others, of each kind of rows
    general: bool  # keeps what the base model knew, and is not the task
    synthetic: bool  # a model or a program wrote it; what augment made is so anyway


Share = tuple[Fraction, Fraction]  # least, most


class Targets(Params):
    """Shares of the mixed rows of a kind: what is outside is told. null: any."""

    general: Share | None  # rows of sources that are general; 0.1 to 0.3 is usual
    synthetic: Share | None  # rows of sources that are synthetic, and made ones
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

    license: str  # SPDX identifier of the rows' licence, or its address; card.license is that of the weights
    sample_rows: Positive  # that people mark
    seed: int  # of the sample
    confidence: Annotated[float, Meta(gt=0, lt=1)]  # of the error rate's interval
    examples: Positive  # rows shown with a warning, at most
    min_rows: Positive  # pairs, rows of a label, rows with labels: fewer than that tell nothing
    max_duplicates: tuple[Fraction, Fraction]  # share of rows that dedup drops: above the first a warning, above the
    # second a serious one
    max_label_share: Fraction  # of the rows that have labels
    max_length_bias: Fraction  # share of the pairs whose chosen answer is the longer one, or the shorter one
    max_length_ratio: Annotated[float, Meta(ge=1)]  # of the median answer of a label to that of all, either way

    def problems(self) -> list[str]:
        if self.max_duplicates[0] > self.max_duplicates[1]:
            return [f"max_duplicates = {list(self.max_duplicates)}: want the smaller share first"]
        return []
