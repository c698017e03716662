"""Examinations: where one model is worse than another, by slices of a suite and by rows."""

from typing import Annotated, ClassVar

from msgspec import Meta

from modelmake.params import Params
from stages.params.numbers import Positive

CANDIDATES = 64  # training rows that are compared exactly with each row


class Examination(Params):
    """Two models on one suite, slice by slice and row by row."""

    section: ClassVar[str] = "examine.{examined}"

    model: str  # of evaluate.models
    against: str  # another of them
    suite: str  # of evaluate.suites
    metric: str  # of the suite, without its name; rows are ordered by how much of it they lost
    confidence: Annotated[float, Meta(gt=0, lt=1)]  # of intervals
    min_rows: Positive  # of a slice; smaller ones are counted, and not measured
    regressions: Positive  # rows that are shown at most, those that lost most
    nearest: Annotated[int, Meta(ge=1, le=CANDIDATES)]  # training rows that are shown beside each
