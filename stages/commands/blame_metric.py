"""The metric that `modelmake blame` is asked about, as two builds recorded it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmake.blaming.revisions import BUILD, Revision
from modelmake.dvc.graph import Stage
from modelmake.errors import UserError
from stages.evaluating import verdicts

WRITERS = {"evaluate.tasks.": "lm_eval", "evaluate.variants.": "evaluate_variant"}  # {section of suites: their stage}
JUDGED = ("judged", "judged_corrected")  # first parts of names; rows of judges are in files of their own


@dataclass(frozen=True)
class Measured:
    """A metric, and where builds have it."""

    name: str  # as in the files of rows
    target: str  # the stage that writes its rows
    confidence: float
    seed: int
    old: float  # as recorded
    new: float


def find(root: Path, metric: str, old: Revision, new: Revision) -> Measured:
    """The metric in both builds.

    Raises:
        UserError: a build has no recorded scores, not this one, or not the stage that writes its rows.
    """
    scores = {revision.commit: _scores(root, revision) for revision in (old, new)}
    for revision in (old, new):
        if metric not in scores[revision.commit]:
            raise UserError(
                f"{metric}: no such score in {revision.short} ({revision.name}): want one of "
                f"{', '.join(sorted(scores[revision.commit])) or '(none there)'}"
            )
    section = _compare(new).params
    suites, main = section["evaluate.suites"], section["compare.suite"]
    writers = {suite: "evaluate" for suite in suites} | {
        field.split(".")[2]: stage for field in section for start, stage in WRITERS.items() if field.startswith(start)
    }
    model = next(m for m in section["evaluate.models"] if metric.startswith(f"{m}."))
    name = metric.removeprefix(f"{model}.")
    suite, metric_name = verdicts.suite_of(name, writers, main)
    writer = writers.get(suite, "evaluate")
    if writer != "lm_eval" and metric_name.partition(".")[0] in JUDGED:
        raise UserError(f"{metric}: of a judge: want a metric that `evaluate` or lm-eval measures")
    target = f"{writer}@{model}-{suite}"
    for revision in (old, new):
        if target not in revision.stages:
            raise UserError(f"{revision.name}: dvc.lock of {revision.short} has no {target}: want its build; {BUILD}")
    return Measured(
        metric_name, target, section["compare.confidence"], section["compare.seed"],
        scores[old.commit][metric], scores[new.commit][metric],
    )  # fmt: skip


def _compare(revision: Revision) -> Any:
    """The record of the stage that writes the scores."""
    for stage in revision.stages.values():
        if Stage(stage.name, stage.record.get("cmd", ""), (), (), ()).module == "stages.compare":
            return stage
    raise UserError(f"{revision.name}: dvc.lock of {revision.short} has no scores: want those of a build; {BUILD}")


def _scores(root: Path, revision: Revision) -> dict[str, float]:
    """{MODEL.METRIC: value} as a build recorded them."""
    stage = _compare(revision)
    path = Stage(stage.name, stage.record["cmd"], (), (), ()).flags["metrics"]
    content = revision.file(root, path)
    if content is None:
        raise UserError(f"{revision.name}: commit {revision.short} has no {path}: want the scores of a build; {BUILD}")
    return {f"{model}.{name}": value for model, values in json.loads(content).items() for name, value in values.items()}
