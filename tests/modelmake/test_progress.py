"""Progress of a loop without a terminal: a plain line every half minute at most."""

import pytest

from modelmake import progress


def test_a_log_gets_a_line_with_the_time_left_every_half_minute_at_most(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([100.0, 110.0, 130.0, 135.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    bar = progress.ProgressBar(8, "embeddings", "rows")
    bar.bar.disable = True
    for n in (1, 2, 5):
        bar.update(n)

    assert capsys.readouterr().err == "  embeddings 3/8 rows; 50 s left\n"


def test_bytes_are_told_in_megabytes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter([100.0, 130.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    bar = progress.ProgressBar(5_000_000, "rehashed", "B")
    bar.bar.disable = True
    bar.update(2_500_000)

    assert capsys.readouterr().err == "  rehashed 2/5 MB; 30 s left\n"
