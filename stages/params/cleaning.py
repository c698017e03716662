"""Cleaning: personal data, turns, languages, labels and lengths of rows."""

import re
from pathlib import Path
from typing import ClassVar, Literal

import msgspec

from modelmake.params import Params
from stages.params import model_path
from stages.params.numbers import Fraction, Positive

Kind = Literal["api_key", "iban", "national_id", "card", "email", "ip", "phone", "person", "location"]
Country = Literal[
    "AU", "BE", "BR", "CA", "CH", "CN", "DE", "DK", "ES", "FI", "FR", "GB", "IE", "IN", "IT", "NL", "NO", "PL", "PT",
    "SE", "SG", "TR", "US", "ZA",
]  # fmt: skip
SPACY_MODEL = re.compile(r"[\w/.-]+==[\w.]+")
LANGUAGE = re.compile("[a-z]{2}")


class Turns(Params):
    """Turns of a chat or a prompt."""

    roles: Literal["alternating", "any"]  # a system turn first, then user and assistant in turn; other rows are dropped
    repeated: Literal["once", "drop", "keep"]  # a turn, or a question with its answer, that stands twice in a row


class Languages(Params):
    """Rows that are surely in another language are dropped."""

    allowed: list[str]  # ISO 639-1
    min_letters: Positive  # rows with fewer letters stay: their language is uncertain
    min_probability: Fraction  # of the detected language; rows below it stay

    def problems(self) -> list[str]:
        if bad := [code for code in self.allowed if not LANGUAGE.fullmatch(code)]:
            return [f"allowed: {bad[0]!r}: want a code of ISO 639-1, such as en"]
        return [] if self.allowed else ["allowed: is empty: want a language, or write languages: null"]


class Labels(Params):
    """Labels are counted, and capped where `max_rows` says so."""

    field: str | None  # of the answers' JSON; null: the whole answer is the label
    max_chars: Positive  # of a label; longer values are free text
    max_rows: Positive | None  # of a label; a hash chooses which to drop, never in a given val or test; null: no cap


class Presidio(Params):
    """Microsoft Presidio, run on the text that the built-in patterns leave. Slow: some hundred rows a second."""

    language: str  # ISO 639-1
    model: str | None  # of spaCy, as en_core_web_lg==3.8.0; null: Presidio's patterns and checksums only
    min_score: Fraction

    def problems(self) -> list[str]:
        if self.model is not None and not SPACY_MODEL.fullmatch(self.model):
            return [f"model = {self.model!r}: want name==version, such as en_core_web_lg==3.8.0"]
        return []


class Pii(Params):
    """Personal data and secrets, an action for each kind; kinds without one are not looked for."""

    redact: list[Kind]  # replaced by [EMAIL], …
    drop: list[Kind]  # the row is dropped
    report: list[Kind]  # counted only
    countries: list[Country]  # whose numbers national_id looks for
    presidio: Presidio | None  # null: built-in patterns only

    def problems(self) -> list[str]:
        kinds = [*self.redact, *self.drop, *self.report]
        problems = [f"{kind}: is named {kinds.count(kind)} times: want one action for it"
                    for kind in dict.fromkeys(kinds) if kinds.count(kind) > 1]  # fmt: skip
        if "national_id" in kinds and not self.countries:
            problems.append("countries: is empty: want the countries whose national_id to look for, such as [US, DE]")
        if not (self.presidio and self.presidio.model):
            problems += [f"{kind}: wants presidio with a model" for kind in ("person", "location") if kind in kinds]
        return problems

    def modules(self) -> list[str]:
        return ["stages.pii.presidio"] if self.presidio else []


class Refusals(Params):
    """Answers that are but a refusal. Case, and the kind of apostrophes, do not count."""

    max_chars: Positive  # of an answer; longer ones say more than no
    openings: list[str]  # words that a refusal may begin with, any number of them
    selves: list[str]  # more of them, by which a model speaks of itself
    unable: list[str]  # then one of these follows: alone, after one of `selves`, or with one of `acts`
    acts: list[str]
    phrases: list[str]  # or one of these
    unless: list[str]  # words that show that an answer says something else: goes on, or refers to what was given
    max_dropped_fraction: Fraction  # of the answers to learn; more fail the stage

    def problems(self) -> list[str]:
        lists = {name: value for name, value in msgspec.structs.asdict(self).items() if isinstance(value, list)}
        problems = [f"{name}[{place}]: is empty: want words" for name, phrases in lists.items()
                    for place, phrase in enumerate(phrases) if not phrase.strip()]  # fmt: skip
        if not self.phrases and not self.unable:
            problems.append("phrases: is empty, and so is unable: want some, or write refusals: null")
        return problems


class Clean(Params):
    section: ClassVar[str] = "clean"

    max_chars: Positive  # of a row's whole text; longer rows are dropped
    max_tokens: Positive | None  # of a row as training counts them, by `tokenizer`; longer rows are dropped
    tokenizer: str  # a model's folder, models/base where base is not tiny; recipes/no_tokenizer.json: none
    white_space: Literal["prose", "keep"]  # prose: no control characters, no white space at the ends, but for code
    turns: Turns
    languages: Languages | None  # null: any
    labels: Labels | None  # null: there are none
    pii: Pii
    refusals: Refusals | None  # rows whose answer refuses as a whole are dropped; null: they stay

    def path_problems(self, base_is_tiny: bool) -> list[str]:
        """Why `tokenizer` cannot be read; empty if it can."""
        if problems := model_path.problems("tokenizer", self.tokenizer, "clean", base_is_tiny, model_path.NO_TOKENIZER):
            return problems
        if self.max_tokens and Path(self.tokenizer) != model_path.BASE and not Path(self.tokenizer).is_dir():
            where = f"tokenizer = {self.tokenizer!r}"
            return [f"{where}: want a model's folder with max_tokens = {self.max_tokens}, or max_tokens: null"]
        return []

    def modules(self) -> list[str]:
        return [
            *(["stages.cleaning.language"] if self.languages else []),
            *(["stages.cleaning.tokens"] if self.max_tokens else []),
            *self.pii.modules(),
        ]
