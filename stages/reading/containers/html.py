"""HTML: the main text of a page as one document, headings as `# …`, without menus and scripts (trafilatura)."""

import logging
from collections.abc import Iterator
from typing import BinaryIO

from stages.reading.containers import stream
from stages.reading.containers.record import MAX_BROKEN_CHARS, Broken, Record, Unreadable


def read(file: BinaryIO) -> Iterator[Record | Broken]:
    """The page as one {"path", "text"} record; the caller fills in the path.

    Raises:
        Unreadable: trafilatura is not installed, or the file is longer than MAX_RECORD_SIZE.
    """
    page = stream.read_whole(file)
    beginning = page[:MAX_BROKEN_CHARS].decode("utf-8", "replace")
    try:
        import trafilatura
    except ModuleNotFoundError:
        raise Unreadable(" HTML is read by trafilatura, which is not installed: `uv sync --extra documents`") from None
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
