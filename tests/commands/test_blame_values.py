"""A build in which no row counts was not measured: it is a problem by its name, and no evidence of no effect."""

import json
from pathlib import Path

import pytest

from modelmake.blaming.inputs import Input
from modelmake.blaming.mixes import Mix
from modelmake.blaming.revisions import Revision
from modelmake.errors import UserError
from stages.commands import blame
from stages.commands.blame_effects import Row, Rows
from stages.commands.blame_metric import Measured

REVISIONS = [Revision(name, name * 10, {}) for name in ("a", "b")]
WHY = "none of the 200 rows that all builds have counts for hits"


def rows(right: int, counted: int = 200) -> Rows:
    """200 rows of which the first ones count, and of these the first are right."""
    hits = [(float(n < right), 1.0) if n < counted else (0.0, 0.0) for n in range(200)]
    return {f"{n:03}": Row(f"{n:03}", f"Question {n}?", {"hits": of}) for n, of in enumerate(hits)}


def blamed(folder: Path, old: Rows, new: Rows, **put_back: Rows) -> blame.Blame:
    """Of two builds and others by the name of the input that is put back."""
    builds = {"old": old, "new": new, **put_back}
    (folder / "rows.json").write_text(json.dumps({"declared": {"hits": {"least": 0.0, "most": 1.0}}}))

    class Built(blame.Blame):
        def _build(self, mix: Mix) -> Rows:
            return builds[mix.path.name]

        def _rows_file(self, mix: Mix) -> Path:
            return folder / "rows.jsonl"

    mixes = [Mix(Input(name, "parameters"), Path(name), Path(), [], "") for name in builds]
    return Built(None, Measured("hits", "evaluate@sft-chat", 0.95, 7, 0.9, 0.6), mixes[:2], mixes[2:])


def test_an_input_without_a_value_when_put_back_is_not_told_as_no_cause(tmp_path: Path) -> None:
    found = blamed(tmp_path, rows(180), rows(120), rate=rows(120), seed=rows(0, counted=0)).table(*REVISIONS)

    assert found["not_put_back"] == {"seed": WHY}
    assert [part["name"] for part in found["inputs"]] == ["rate"]
    assert found["lines"][-2:] == [
        f"seed: could not be put back: {WHY}",
        "cause: unknown, an input could not be put back",
    ]


@pytest.mark.parametrize("end", [0, 1])
def test_a_build_without_a_value_as_it_was_is_refused(tmp_path: Path, end: int) -> None:
    ends = [rows(180), rows(120)]
    ends[end] = rows(0, counted=0)
    with pytest.raises(UserError, match=f"^evaluate@sft-chat: a build as it was: {WHY}: want a metric that counts th"):
        blamed(tmp_path, *ends, rate=rows(120))


def test_rows_that_all_count_are_compared(tmp_path: Path) -> None:
    found = blamed(tmp_path, rows(180), rows(120), rate=rows(180)).table(*REVISIONS)

    assert (found["not_put_back"], found["causes"]) == ({}, ["rate"])
