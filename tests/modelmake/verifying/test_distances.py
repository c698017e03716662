"""Distances between artifacts are those of their numbers; artifacts that differ in anything else have none."""

import json
from pathlib import Path
from typing import Any

import pytest

from modelmake.verifying import distances


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ({"x": 1.0, "y": [1, 2]}, {"x": 1.5, "y": [1, 4]}, {"x": 0.5, "y[1]": 2}),
        ({"x": {"y": 1}}, {"x": {"y": 1}}, {}),
        ([{"x": 1}], [{"x": -1}], {"[0].x": 2}),
        (1, 1.25, {"": 0.25}),
        ({"x": 1}, {"y": 1}, None),
        ([1], [1, 2], None),
        ({"x": "a", "y": 1}, {"x": "b", "y": 2}, None),
        ({"x": True}, {"x": 1}, None),
        ({"x": False}, {"x": True}, None),
        ({"x": None}, {"x": 0}, None),
        (float("nan"), 1.0, None),
    ],
)
def test_numbers_may_differ_and_nothing_else(a: Any, b: Any, expected: dict[str, float] | None) -> None:
    assert distances.of_values(a, b) == expected


def test_files_of_an_artifact_are_compared_by_their_suffixes(tmp_path: Path) -> None:
    def artifact(name: str, weight: float, loss: float, text: str) -> dict[str, Path]:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "w").write_text(str(weight))
        (folder / "log").write_text("".join(json.dumps({"loss": value}) + "\n" for value in (1.0, loss)))
        (folder / "text").write_text(text)
        return {"w.number": folder / "w", "log.jsonl": folder / "log", "a.txt": folder / "text"}

    def number(recorded: Path, rebuilt: Path) -> dict[str, float]:
        return {"all": abs(float(recorded.read_text()) - float(rebuilt.read_text()))}

    one = artifact("one", 1.0, 2.0, "same")
    compare = {".number": number}

    assert distances.of_artifacts(one, artifact("two", 1.5, 2.25, "same"), compare) == {
        "w.number: all": 0.5, "log.jsonl: [1].loss": 0.25,
    }  # fmt: skip
    assert distances.of_artifacts(one, artifact("three", 1.5, 2.25, "diff"), compare) is None
    assert distances.of_artifacts(one, dict(list(one.items())[:2]), compare) is None
    assert distances.of_artifacts(one, one, compare) == {}
