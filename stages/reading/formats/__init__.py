"""One input format a file: `matches(fields)` by the names of a record's fields; `read(record)` to canonical content, a
document, or a judged answer."""

from stages.reading.formats import (
    alpaca,
    completion,
    document,
    feedback,
    kto,
    labelled,
    messages,
    pairs,
    qa,
    sharegpt,
    text,
)

READERS = {  # no two match one record
    "alpaca": alpaca,
    "sharegpt": sharegpt,
    "messages": messages,
    "feedback": feedback,
    "completion": completion,
    "pairs": pairs,
    "kto": kto,
    "qa": qa,
    "text": text,
    "labelled": labelled,
    "document": document,
}
