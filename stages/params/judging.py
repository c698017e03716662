"""Judging: a language model that marks answers by rubrics. Without an entry nobody judges: there is no stage."""

import re
from collections import Counter
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params
from stages.params.augmentation import Endpoint
from stages.params.numbers import Fraction, Positive

WORD = re.compile(r"[a-z0-9_]+")  # of marks
SIDES = ("first", "equal", "second")  # marks of a pair: which answer is better


class Pointwise(Params, tag_field="kind", tag="pointwise"):
    """A mark for each answer. Its score is its place among the marks, from 0 to 1."""

    criteria: str  # what a good answer is, and what each mark means
    marks: list[str]  # worst first

    def problems(self) -> list[str]:
        problems = [f"marks: {mark!r}: want {WORD.pattern}" for mark in self.marks if not WORD.fullmatch(mark)]
        problems += [f"marks: {mark!r} is there {n} times" for mark, n in Counter(self.marks).items() if n > 1]
        if len(self.marks) < 2:
            problems.append(f"marks: found {len(self.marks)}, want 2 or more, worst first")
        return problems


class Pairwise(Params, tag_field="kind", tag="pairwise"):
    """Which of two answers is better, asked in both orders: the model's, or that of compare.baseline. The score is the
    mean of both orders: 1 for the model's, 0 for the other, 0.5 for neither and for equal answers, which nobody judges.
    """

    criteria: str  # what a good answer is

    @property
    def marks(self) -> tuple[str, ...]:
        return SIDES


Rubric = Pointwise | Pairwise


class Judge(Endpoint):
    """The judge of a suite: a model behind an endpoint, and what it judges by."""

    section: ClassVar[str] = "evaluate.judge.{suite}"

    api: Literal["openai", "anthropic"]  # chat completions, or Anthropic's messages
    temperature: Annotated[float, Meta(ge=0)] | None  # null: not sent
    seed: int | None  # of sampling; null: not sent
    parallel: Positive  # concurrent requests
    max_requests: Positive  # in one build of one model, repetitions aside; what is answered in the archive is free
    max_unjudged_fraction: Fraction  # of answers to which the judge gives no mark; more stop the build
    rubrics: dict[str, Rubric]

    def problems(self) -> list[str]:
        problems = super().problems()
        if self.api == "anthropic" and self.seed is not None:
            problems.append(f"seed = {self.seed}: want null: Anthropic's messages have none")
        if not self.rubrics:
            problems.append("rubrics: is empty: want at least one")
        return problems
