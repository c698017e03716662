"""Timestamps have one spelling, so that sorting as text sorts by time."""

from typing import Any

import pytest

from stages.rows.timestamps import utc_timestamp


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-01-31", "2026-01-31T00:00:00+00:00"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00+00:00"),
        ("2026-01-31 12:00", "2026-01-31T12:00:00+00:00"),
        ("2026-01-31T00:30:00+02:00", "2026-01-30T22:30:00+00:00"),
        ("2026-01-31T12:00:00.999", "2026-01-31T12:00:00+00:00"),
        (0, "1970-01-01T00:00:00+00:00"),
        (1e9, "2001-09-09T01:46:40+00:00"),
    ],
)
def test_a_timestamp_is_utc_to_the_second(time: Any, expected: str) -> None:
    assert utc_timestamp(time) == expected


@pytest.mark.parametrize("time", ["", "yesterday", "31.01.2026", 1e20, float("nan"), None, [], {}])
def test_other_values_are_refused(time: Any) -> None:
    with pytest.raises(ValueError, match=r"want ISO 8601, or seconds since 1970"):
        utc_timestamp(time)
