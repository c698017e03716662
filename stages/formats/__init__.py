"""One input format a file: `matches(record)` by its fields, `read(record)` to canonical content or a document."""

NAMES = ("alpaca", "sharegpt", "messages", "pairs", "qa", "text", "labelled", "document")
