"""What people's marks say of a judge, for one rubric of one suite, as `modelmake judge calibrate` writes it.

It holds for the judge, the prompt and the rubric that gave the marks: a change of one makes it stale.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from modelmake.errors import UserError
from stages.augmenting.requests import Prompts
from stages.evaluating.judging import asking
from stages.evaluating.judging.agreement import Estimate
from stages.evaluating.scoring import Answer
from stages.params.judging import Judge

MIN_AGREEMENT = 0.8
MIN_MARKED = 30  # by people, of each model in a gate


class Binding(msgspec.Struct, frozen=True):
    """Hashes of what decides on a judge's marks."""

    judge: str  # endpoint, model and settings
    prompt: str
    rubric: str


class Calibration(msgspec.Struct, frozen=True, omit_defaults=True):
    binding: Binding
    seed: int  # of the order in which people saw the answers
    marks: dict[str, dict[str, str]]  # {model: {what was shown: people's mark}}; of pairs left, right or equal
    agreement: dict[str, Estimate]  # by model: a judge may err on one and not on another
    kappa: Estimate | None
    verbosity: Estimate | None
    position: Estimate | None = None  # of pairs, as is what follows
    consistency: Estimate | None = None

    def changed(self, now: Binding) -> list[str]:
        """What is no longer as it was: judge, prompt, rubric."""
        return [name for name in Binding.__struct_fields__ if getattr(self.binding, name) != getattr(now, name)]


def binding(judge: Judge, rubric: str, prompts: Prompts) -> Binding:
    """The binding of one of a judge's rubrics."""
    of_rubric = judge.rubrics[rubric]
    settings = [judge.api, judge.base_url, judge.model, judge.temperature, judge.max_tokens, judge.seed]
    return Binding(
        _hash(settings),
        _hash(prompts.text(asking.template(of_rubric))),
        _hash([asking.template(of_rubric), of_rubric.criteria, of_rubric.marks]),
    )


def of_answers(own: Sequence[Answer], others: Sequence[Answer]) -> str:
    """Hash of what a judge marked: rows, and both models' answers to them."""
    return _hash([(a.id, a.prompt, a.expected, a.answer, b.answer) for a, b in zip(own, others, strict=True)])


def _hash(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:16]


def path(folder: Path, suite: str, rubric: str) -> Path:
    return folder / f"{suite}.{rubric}.json"


def read(file: Path) -> Calibration | None:
    """The calibration in a file; None if there is no file.

    Raises:
        UserError: it holds something else.
    """
    if not file.is_file():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=Calibration)
    except msgspec.MsgspecError as error:
        raise UserError(f"{file}: {error}: want what `modelmake judge calibrate` writes; run it again") from None
