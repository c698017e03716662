"""One input format a file: `matches(record)` by its fields, `read(record)` to canonical content."""

NAMES = ("alpaca", "sharegpt", "messages", "pairs", "text", "labelled")
