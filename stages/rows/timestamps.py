"""Times as rows have them: UTC, ISO 8601 to the second, so that such texts sort as the times do."""

from datetime import UTC, datetime
from typing import Any


def moment(time: Any) -> str:
    """ISO 8601, or seconds since 1970, as `2026-01-31T12:00:00+00:00`. Without a zone it is UTC; a day's first second.

    Raises:
        ValueError: it is neither.
    """
    try:
        if isinstance(time, int | float):
            return datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds")
        found = datetime.fromisoformat(time)
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        return found.isoformat(timespec="seconds")
    except (TypeError, ValueError, OverflowError, OSError):
        raise ValueError(f"{time!r}: want ISO 8601, or seconds since 1970") from None
