"""Which splits are taken from the source, and the fractions of the others."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from modelmake.errors import UserError
from stages.proposing.survey import File, Survey
from stages.reading.files import split_of_name
from stages.rows.row import Row

TEST_ROWS, VAL_ROWS = 1000, 300  # enough to tell models apart, and to see a loss; of more rows a smaller share
FRACTIONS = {"test": (0.01, 0.1), "val": (0.005, 0.05)}  # least and most, where rows are many
FEW_ROWS, FEW_FRACTIONS = 1000, {"test": 0.2, "val": 0.1}


class Plan(NamedTuple):
    """Fields of `split`, and of `ingest`."""

    reason: str
    val_fraction: float
    test_fraction: float
    val_from_train: bool
    given: bool  # the splits of the source are taken


def plan(survey: Survey) -> Plan:
    """The splits that files give are kept if there is one to test on and one to train on; others are made by hash."""
    names = {split for file in survey.files for split in file.splits if split}
    free = sum(file.splits[""] for file in survey.files)
    by = _by(survey.files)
    if not names:
        return Plan("the source gives none", *_by_hash(len(survey.rows)), False, True)
    if "test" in names and ("train" in names or free):
        if "val" in names:
            return Plan(f"{by}: they stay as they are", 0.0, 0.0, False, True)
        rows = sum(row.split in ("train", "") for row, _ in survey.rows.values())
        val_fraction, _ = _by_hash(rows)
        return Plan(f"{by}; val is taken from train, as the source gives none", val_fraction, 0.0, True, True)
    lacks = "test" if "test" not in names else "train"
    reason = f"{by}, and none is {lacks}: rows are split by hash, whatever the source says"
    return Plan(reason, *_by_hash(len(survey.rows)), False, False)


def widened(found: Plan, survey: Survey, split_of: Callable[[Row, Plan], str], kinds: Iterable[str]) -> Plan:
    """A plan with fractions large enough that val has rows of every kind, and test at least one.

    Args:
        split_of: the split of a row under a plan.
        kinds: of rows that are trained on.

    Raises:
        UserError: no fractions do it.
    """
    wanted = [*(("train", kind) for kind in kinds), *(("val", kind) for kind in kinds)]
    for factor in (1, 2, 4):
        tried = found._replace(val_fraction=found.val_fraction * factor, test_fraction=found.test_fraction * factor)
        if tried.val_fraction + tried.test_fraction > 0.7:
            break
        counts = Counter((split_of(row, tried), row.kind) for row in rows_under(tried, survey))
        missing = [place for place in wanted if not counts[place]]
        if not missing and any(split == "test" for split, _ in counts):
            return tried
    told = ", ".join(f"{split} has no {kind}" for split, kind in missing) or "test has no rows"
    raise UserError(f"{len(survey.rows)} rows, too few or in too few groups: {told}: want some; add rows")


def rows_under(found: Plan, survey: Survey) -> Iterable[Row]:
    """The rows, without the splits that the plan does not take."""
    for row, _ in survey.rows.values():
        yield row if found.given else Row(row.id, row.content, "", row.group, row.time)


def _by_hash(rows: int) -> tuple[float, float]:
    """(val_fraction, test_fraction) for this number of rows."""
    if rows < FEW_ROWS:
        return FEW_FRACTIONS["val"], FEW_FRACTIONS["test"]
    wanted = {"test": TEST_ROWS / rows, "val": VAL_ROWS / rows}
    val, test = (round(min(max(wanted[s], FRACTIONS[s][0]), FRACTIONS[s][1]), 3) for s in ("val", "test"))
    return val, test


def _by(files: list[File]) -> str:
    """Which files give which splits: `all of a is test; data.json has test and train`."""
    said = []
    for file in files:
        splits = sorted(split for split in file.splits if split)
        if splits == [next(iter(file.splits))] and len(file.splits) == 1:
            found = split_of_name(file.name)
            by = f", by {found.word!r} in its name" if found.split == splits[0] else ""
            said.append(f"all of {file.name} is {splits[0]}{by}")
        elif splits:
            said.append(f"{file.name} has {', '.join(splits)}")
    return "; ".join(said[:5]) + (f"; and {len(said) - 5} more files" if len(said) > 5 else "")
