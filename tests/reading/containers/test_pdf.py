"""PDF: the text of its pages as one document; a file without text is one broken record."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages.reading.containers.record import Broken
from tests.reading.raw_files import read_bytes


def pdf(*pages: str) -> bytes:
    """A PDF with a line of text a page."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>"
        % (b" ".join(b"%d 0 R" % (4 + 2 * i) for i in range(len(pages))), len(pages)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, page in enumerate(pages):
        drawn = f"BT /F1 12 Tf 72 720 Td ({page}) Tj ET".encode()
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * number)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn))
    result, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(result))
        result += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(result)
    size = len(objects) + 1
    result += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return result + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)


def test_a_pdf_is_the_text_of_its_pages(tmp_path: Path) -> None:
    [record] = read_bytes(tmp_path, "a.pdf", pdf("A spider has eight legs.", "", "An insect has six."))

    assert record.value == {"path": "a.pdf", "text": "A spider has eight legs.\n\nAn insect has six."}


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (pdf("", ""), "no text in its 2 pages: want text; recognise its pictures first"),
        (b"no PDF", "no PDF that can be read: Failed to load document (PDFium: Data format error)."),
        (b"", "no PDF that can be read: Failed to load document (PDFium: Data format error)."),
    ],
)
def test_a_pdf_without_text_is_broken(tmp_path: Path, content: bytes, detail: str) -> None:
    assert read_bytes(tmp_path, "a.pdf", content) == [Broken(1, detail, "", "broken_pdf")]


def test_a_missing_pdf_reader_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pypdfium2", None)
    with pytest.raises(UserError) as error:
        read_bytes(tmp_path, "a.pdf", b"")

    advice = "PDF is read by pypdfium2, which is not installed: `uv sync --extra documents`"
    assert str(error.value) == f"{tmp_path}/a.pdf: {advice}"


@settings(max_examples=60)
@given(st.integers(0, 600), st.integers(0, 600), st.binary(max_size=3))
def test_any_damaged_pdf_is_one_document_or_one_broken_record(
    tmp_path_factory: pytest.TempPathFactory, start: int, end: int, new: bytes
) -> None:
    content = pdf("A spider.")
    assert len(read_bytes(tmp_path_factory.getbasetemp(), "a.pdf", content[:start] + new + content[end:])) == 1
