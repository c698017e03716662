"""PDF: the text of all pages as a document, as the file says it; nothing is recognised in pictures."""

from collections.abc import Iterator
from typing import BinaryIO

from stages.reading.containers import stream
from stages.reading.containers.record import Broken, Record, Unreadable


def read(file: BinaryIO) -> Iterator[Record | Broken]:
    """The document as one document; its path is the file's."""
    content = stream.whole(file)
    try:
        import pypdfium2
    except ModuleNotFoundError:
        raise Unreadable(" PDF is read by pypdfium2, which is not there: `uv sync --extra documents`") from None
    try:
        with pypdfium2.PdfDocument(content) as document:
            pages = [_text(page) for page in document]
    except pypdfium2.PdfiumError as error:
        yield Broken(1, f"no PDF that can be read: {error}", "", "broken_pdf")
        return
    text = "\n\n".join(page for page in pages if page)
    if text:
        yield Record(1, {"path": None, "text": text}, text)
    else:
        yield Broken(1, f"no text in its {len(pages)} pages: want text; recognise its pictures first", "", "broken_pdf")


def _text(page: object) -> str:
    found = page.get_textpage().get_text_range()
    lines = found.replace("\r\n", "\n").replace("\ufffe\n", "").replace("\ufffe", "").replace("\0", "")
    return lines.encode("utf-8", "replace").decode("utf-8").strip()
