"""`evaluate` runs the code of every sample, tells what came of each, and refuses where it cannot be run."""

from pathlib import Path

import msgspec
import pytest

from modelmake.errors import UserError
from stages import evaluate
from stages.evaluating import answer_file, metrics, scoring
from stages.evaluating.answer_file import Given
from stages.evaluating.running_code import boundary, passing
from stages.params.evaluation import Suite
from stages.rows import jsonl
from stages.rows.row import Chat, Message, make_row

SUITE = Suite(metrics=["pass_at_1", "pass_at_10"], label=None, slots=[], answer_schema=None)
RIGHT, WRONG = "```python\ndef double(n):\n    return 2 * n\n```", "def double(n):\n    return n"
TESTS = "```python tests\nassert double(2) == 4\n```"


def rows(tmp_path: Path, expected: list[str], answers: list[list[str]]) -> list[Path]:
    """The paths that `evaluate` takes, of rows with these expected answers and samples."""
    made = [
        make_row(Chat([Message("user", f"double {i}"), Message("assistant", text)])) for i, text in enumerate(expected)
    ]
    jsonl.write(tmp_path / "rows.jsonl", made)
    given = {row.id: Given(row.id, texts) for row, texts in zip(made, answers, strict=True)}
    answer_file.write(tmp_path / "answers.jsonl", [given[row.id] for row in jsonl.read(tmp_path / "rows.jsonl")])
    return [tmp_path / name for name in ("rows.jsonl", "answers.jsonl", "scored.jsonl", "scores.json")]


def test_every_sample_is_scored_and_told(tmp_path: Path) -> None:
    if lacking := boundary.lacking():
        pytest.skip(lacking)
    paths = rows(tmp_path, [TESTS, TESTS.replace("4", "5")], [[RIGHT] * 2 + [WRONG] * 10, [RIGHT] * 12])

    line = evaluate.main(*paths, tmp_path, "code", SUITE)

    # 2 of 24 samples; of ten of twelve samples both right ones are left out in 1 of 66 draws
    assert line.startswith("2 rows: pass_at_1 0.083, pass_at_10 0.492; pass_at_1: 22 failed, 2 passed")
    scores = msgspec.json.decode(paths[3].read_bytes())
    assert scores["metrics"] == {"pass_at_1": 0.083333, "pass_at_10": 0.492424}
    assert scores["outcomes"]["pass_at_1"] == {"failed": 22, "passed": 2}
    first, second = sorted(scoring.read(paths[2]), key=lambda row: row.prompt)
    assert first.told["pass_at_1"] == ["passed"] * 2 + ["failed: line 1 of the tests: assert double(2) == 4"] * 10
    assert second.told["pass_at_10"] == ["failed: line 1 of the tests: assert double(2) == 5"] * 12
    assert first.scores["pass_at_1"] == (2.0, 12.0) and second.scores["pass_at_10"] == (0.0, 1.0)


def test_a_killed_run_judges_no_answer_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if lacking := boundary.lacking():
        pytest.skip(lacking)
    only = Suite(metrics=["pass_at_1"], label=None, slots=[], answer_schema=None)
    paths = rows(tmp_path, [TESTS, TESTS.replace("4", "5")], [[RIGHT], [WRONG]])
    monkeypatch.setattr(passing, "_verdicts", {})
    evaluate.main(*paths, tmp_path, "code", only)
    scored = paths[2].read_bytes()

    monkeypatch.setattr(passing, "_verdicts", {})
    monkeypatch.setattr(boundary, "judge", refuse)
    evaluate.main(*paths, tmp_path, "code", only)
    assert paths[2].read_bytes() == scored
    (tmp_path / "pass_at_1.jsonl").unlink()
    monkeypatch.setattr(passing, "_verdicts", {})
    with pytest.raises(UserError, match="nothing runs now"):
        evaluate.main(*paths, tmp_path, "code", only)


def refuse(*arguments: str) -> boundary.Verdict:
    raise UserError("nothing runs now")


def test_where_code_cannot_be_run_nothing_is_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = rows(tmp_path, [TESTS], [[RIGHT]])
    monkeypatch.setenv("PATH", "")
    boundary.lacking.cache_clear()

    with pytest.raises(UserError, match=r"^suites\.code\.metrics: pass_at_1: bwrap: not found: want bubblewrap"):
        evaluate.main(*paths, tmp_path, "code", SUITE)

    assert not paths[2].exists()
    assert [line.partition(": ")[0] for line in metrics.lacking(SUITE)] == ["pass_at_1", "pass_at_10"]
    assert metrics.lacking(Suite(["exact_match"], None, [], None)) == []
    boundary.lacking.cache_clear()
