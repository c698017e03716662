"""Counts of a step's rows."""

import json
from pathlib import Path
from typing import Any

from stages.reporting import step_rows


def count(
    folder: Path, log: dict[str, Any], batches: list[list[str]], **sources: tuple[int, int]
) -> step_rows.StepRows:
    """The counts of a step.

    Args:
        sources: {source: (rows there, rows in the mix)}.
    """
    (folder / "consumed.jsonl").write_text(
        "".join(json.dumps({"step": n, "ids": ids}) + "\n" for n, ids in enumerate(batches, 1))
    )
    mix = {"kinds": {"chat": {"sources": {name: {"in": n, "rows": size} for name, (n, size) in sources.items()}}}}
    return step_rows.count("chat", log, mix, folder / "consumed.jsonl")


def test_a_row_that_the_mix_repeats_counts_once(tmp_path: Path) -> None:
    log = {"dropped": {"over_long": 3}, "over_long": ["c", "c", "d"]}

    rows = count(tmp_path, log, [["a", "b"], ["a", "b"], ["a"]], small=(2, 6), large=(9, 2), none=(5, 0))

    assert rows == step_rows.StepRows("chat", given=4, dropped={"over_long": 2}, cut=0, consumed=2, shown=5)
    assert (rows.never_shown, rows.share) == (0, 0.5)


def test_rows_that_were_cut_are_not_dropped_and_those_of_less_than_an_epoch_were_never_shown(tmp_path: Path) -> None:
    log = {"dropped": {"untrained": 1}, "over_long": ["a", "c"], "untrained": ["c"]}

    rows = count(tmp_path, log, [["a", "b"]], all=(5, 5))

    assert (rows.dropped, rows.cut, rows.never_shown, rows.share) == ({"untrained": 1}, 1, 2, 0.4)


def test_a_step_without_rows_has_no_share(tmp_path: Path) -> None:
    assert count(tmp_path, {"dropped": {}, "over_long": []}, []).share == 0


def test_a_row_that_two_steps_dropped_is_one_row() -> None:
    logs = {"a": ["x", "y"], "b": ["y", "y"]}
    dropped = {step: {"dropped": {"over_long": 1}, "over_long": ids} for step, ids in logs.items()}
    cut = {"c": {"dropped": {"untrained": 1}, "over_long": ["z"], "untrained": ["u"]}}

    assert step_rows.dropped_ids(dropped | cut) == {"x", "y", "u"}
