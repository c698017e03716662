"""Distances between artifacts are the largest of each tensor and number; what is no number is no distance."""

import json
from pathlib import Path
from typing import Any

import pytest

from modelmake.verifying import closeness


@pytest.mark.parametrize(
    ("a", "b", "found"),
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
def test_numbers_differ_by_place_and_nothing_else_may(a: Any, b: Any, found: dict[str, float] | None) -> None:
    assert closeness.numbers(a, b) == found


def test_an_artifact_is_compared_file_by_file_by_what_its_names_say(tmp_path: Path) -> None:
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

    assert closeness.distances(one, artifact("two", 1.5, 2.25, "same"), compare) == {
        "w.number: all": 0.5, "log.jsonl: [1].loss": 0.25,
    }  # fmt: skip
    assert closeness.distances(one, artifact("three", 1.5, 2.25, "diff"), compare) is None
    assert closeness.distances(one, dict(list(one.items())[:2]), compare) is None
    assert closeness.distances(one, one, compare) == {}
