"""The exception for a record that becomes no row."""


class RejectedRecord(Exception):
    """A record that becomes no row, with a reason (one word that reports count by) and the detail of this record."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail
