"""The rows of a training step: what it was given, what it dropped or cut, and what its model was trained on."""

from pathlib import Path
from typing import Any, NamedTuple

import msgspec


class StepRows(NamedTuple):
    """Counts of rows; a row that the mix repeats counts once, but for `shown`."""

    kind: str
    given: int  # in the mix
    dropped: dict[str, int]  # by the step itself: reason -> rows
    cut: int  # longer than max_length, and trained on as far as that
    consumed: int  # in at least one optimizer step
    shown: int  # times that a row was in an optimizer step

    @property
    def never_shown(self) -> int:
        """Rows that were kept but came into no optimizer step, as in less than one epoch."""
        return self.given - self.lost - self.consumed

    @property
    def lost(self) -> int:
        """Rows that the step dropped."""
        return sum(self.dropped.values())

    @property
    def share(self) -> float:
        """The share of the given rows that the model was trained on."""
        return self.consumed / self.given if self.given else 0.0


def count(kind: str, log: dict[str, Any], mix: dict[str, Any], consumed: Path) -> StepRows:
    """The counts of a step.

    Args:
        kind: of its rows.
        log: of the step, as `train` wrote it.
        mix: report of `mix`.
        consumed: JSONL {step, ids}, as `train` wrote it.
    """
    ids: set[str] = set()
    shown = 0
    decoder = msgspec.json.Decoder(dict[str, Any])
    with consumed.open("rb") as file:
        for line in file:
            batch = decoder.decode(line)["ids"]
            ids.update(batch)
            shown += len(batch)
    given = sum(min(source["in"], source["rows"]) for source in mix["kinds"][kind]["sources"].values())
    cut = set(log["over_long"]) - dropped_ids({"": log})
    dropped = {reason: len(set(log[reason])) for reason in log["dropped"]}
    return StepRows(kind, given, dropped, len(cut), len(ids), shown)


def dropped_ids(logs: dict[str, dict[str, Any]]) -> set[str]:
    """Ids of the rows that at least one step dropped.

    Args:
        logs: of training steps, as `train` wrote them: beside `dropped` the ids of each reason.
    """
    return {id for log in logs.values() for reason in log["dropped"] for id in log[reason]}
