"""One input format a file: `matches(record)` by its fields, `read(record)` to canonical content or a document."""

from stages.formats import alpaca, document, labelled, messages, pairs, qa, sharegpt, text

READERS = {  # the first that matches a record reads it
    "alpaca": alpaca,
    "sharegpt": sharegpt,
    "messages": messages,
    "pairs": pairs,
    "qa": qa,
    "text": text,
    "labelled": labelled,
    "document": document,
}
