"""PDF: the text layer of all pages as one document. Pictures are not recognised (no OCR)."""

from collections.abc import Iterator
from typing import BinaryIO

from stages.reading.containers import stream
from stages.reading.containers.record import Broken, Record, Tell, Unreadable


def read(file: BinaryIO, tell: Tell) -> Iterator[Record | Broken]:
    """The file as one {"path", "text"} record; the caller fills in the path.

    Raises:
        Unreadable: pypdfium2 is not installed, or the file is longer than MAX_RECORD_SIZE.
    """
    content = stream.read_whole(file)
    try:
        import pypdfium2
    except ModuleNotFoundError:
        raise Unreadable(" PDF is read by pypdfium2, which is not installed: `uv sync --extra documents`") from None
    try:
        with pypdfium2.PdfDocument(content) as document:
            pages = [_page_text(page) for page in document]
    except pypdfium2.PdfiumError as error:
        yield Broken(1, f"no PDF that can be read: {error}", "", "broken_pdf")
        return
    text = "\n\n".join(page for page in pages if page)
    if text:
        yield Record(1, {"path": None, "text": text}, text)
    else:
        yield Broken(1, f"no text in its {len(pages)} pages: want text; recognise its pictures first", "", "broken_pdf")


def _page_text(page: object) -> str:
    text = page.get_textpage().get_text_range()
    # pdfium writes U+FFFE for a hyphen that a line break put into a word.
    text = text.replace("\r\n", "\n").replace("\ufffe\n", "").replace("\ufffe", "").replace("\0", "")
    return text.encode("utf-8", "replace").decode("utf-8").strip()
