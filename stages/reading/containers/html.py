"""HTML: the main text of a page as one document, headings as `# …`, without menus and scripts (trafilatura).

trafilatura writes Markdown, and in prose a backslash before each sign that Markdown might read: `max\\_length`. Rows
are read as they are, so its two functions that write them are replaced.
"""

import logging
from collections.abc import Iterator
from typing import BinaryIO

from stages.reading.containers import stream
from stages.reading.containers.record import MAX_BROKEN_CHARS, Broken, Record, Tell, Unreadable

ESCAPING = ("_escape_inline_specials", "_escape_block_start")  # of trafilatura.xml: each takes and returns a text


def read(file: BinaryIO, tell: Tell) -> Iterator[Record | Broken]:
    """The page as one {"path", "text"} record; the caller fills in the path.

    Raises:
        Unreadable: trafilatura is not installed, or the file is longer than MAX_RECORD_SIZE.
    """
    page = stream.read_whole(file)
    beginning = page[:MAX_BROKEN_CHARS].decode("utf-8", "replace")
    try:
        import trafilatura
        import trafilatura.xml
    except ModuleNotFoundError:
        raise Unreadable(" HTML is read by trafilatura, which is not installed: `uv sync --extra documents`") from None
    for function in ESCAPING:
        if not hasattr(trafilatura.xml, function):
            raise Unreadable(f" trafilatura {trafilatura.__version__} has no {function}: want the version of uv.lock")
        setattr(trafilatura.xml, function, str)
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    try:
        text = trafilatura.extract(page, fast=True, output_format="markdown", include_comments=False)
    except Exception as error:  # parsers raise anything on other people's pages; that breaks the page, not the build
        detail = f"no HTML: {type(error).__name__}: {' '.join(str(error).split())}"
        yield Broken(1, detail, beginning, "broken_html")
        return
    if text and text.strip():
        yield Record(1, {"path": None, "text": text}, text)
    else:
        yield Broken(1, "no text was found in this page", beginning, "broken_html")
