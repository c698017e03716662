"""Progress: a line now and then in a log."""

import pytest

from modelmake.progress import Count
from stages.training import progress


def test_a_log_tells_how_far_a_loop_is_and_no_more_often_than_it_should(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([100.0, 110.0, 130.0, 135.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    count = Count(8, "embeddings", "rows")
    count.bar.disable = True
    for n in (1, 2, 5):
        count.add(n)

    assert capsys.readouterr().out == "  embeddings 3/8 rows; 50 s left\n"
