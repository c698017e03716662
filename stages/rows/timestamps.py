"""Timestamps in one spelling, UTC in ISO 8601 to the second, so that sorting as text sorts by time."""

from datetime import UTC, datetime
from typing import Any


def utc_timestamp(time: Any) -> str:
    """Converts ISO 8601, or seconds since 1970, to the form `2026-01-31T12:00:00+00:00`.

    A time without a zone is taken as UTC, a day as its first second; fractions of a second are cut off.

    Raises:
        ValueError: the value is neither.
    """
    try:
        if isinstance(time, int | float):
            return datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds")
        parsed = datetime.fromisoformat(time)
        parsed = parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        return parsed.isoformat(timespec="seconds")
    except (TypeError, ValueError, OverflowError, OSError):
        raise ValueError(f"{time!r}: want ISO 8601, or seconds since 1970") from None
