"""Input formats, one module each.

`matches(fields)` tells by the names of a record's fields whether it has the format. `read(record)` returns a canonical
content or a `Document`, and raises ValueError, TypeError or KeyError for a record of another shape. `FIELDS` is what it
reads, as a tree of `stages.reading.unread`: all else in a record is told, so nothing may be in it that `read` ignores.
"""

from stages.reading.formats import (
    alpaca,
    completion,
    document,
    feedback,
    function_calls,
    gemini,
    kto,
    labelled,
    messages,
    multiple_choice,
    pairs,
    qa,
    sharegpt,
    text,
)

READERS = {  # no two match one record
    "alpaca": alpaca,
    "sharegpt": sharegpt,
    "messages": messages,
    "gemini": gemini,
    "feedback": feedback,
    "completion": completion,
    "pairs": pairs,
    "kto": kto,
    "qa": qa,
    "multiple_choice": multiple_choice,
    "function_calls": function_calls,
    "text": text,
    "labelled": labelled,
    "document": document,
}
