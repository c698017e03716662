"""HTML: the main text of a page as a document, headings as `# …`; menus, scripts and the like are left out."""

import logging
from collections.abc import Iterator
from typing import BinaryIO

from stages.reading.containers import stream
from stages.reading.containers.record import SHOWN, Broken, Record, Unreadable


def read(file: BinaryIO) -> Iterator[Record | Broken]:
    """The page as one document; its path is the file's."""
    page = stream.whole(file)
    found = page[:SHOWN].decode("utf-8", "replace")
    try:
        import trafilatura
    except ModuleNotFoundError:
        raise Unreadable(" HTML is read by trafilatura, which is not there: `uv sync --extra documents`") from None
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    try:
        text = trafilatura.extract(page, fast=True, output_format="markdown", include_comments=False)
    except Exception as error:  # whatever a parser of other people's pages may raise is that page's fault
        yield Broken(1, f"no HTML: {type(error).__name__}: {' '.join(str(error).split())}", found, "broken_html")
        return
    if text and text.strip():
        yield Record(1, {"path": None, "text": text}, text)
    else:
        yield Broken(1, "no text was found in this page", found, "broken_html")
