"""Files that are a document each: pages of HTML, PDF, Markdown; what has no text is told."""

from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages.reading import files
from stages.reading.containers.record import Broken, Record

PAGE = b"""<!doctype html><html><head><title>Spiders</title><script>alert(1)</script></head><body>
<nav><a href="/">Home</a> <a href="/more">More</a></nav>
<article><h1>Spiders</h1><p>A spider has eight legs, and an insect has six of them, as everyone can count.</p>
<h2>Webs</h2><p>Most spiders spin a web of silk that is stronger than steel of the same weight.</p></article>
<footer>All rights reserved</footer></body></html>"""
TEXT = (
    "# Spiders\n\nA spider has eight legs, and an insect has six of them, as everyone can count.\n\n"
    "## Webs\n\nMost spiders spin a web of silk that is stronger than steel of the same weight."
)


def read(path: Path, content: bytes) -> list[Record | Broken]:
    path.write_bytes(content)
    return list(files.read(path, f"in/{path.name}"))


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


@pytest.mark.parametrize("name", ["a.html", "a.htm", "a.HTML"])
def test_a_page_is_its_text_with_headings_and_without_menus(tmp_path: Path, name: str) -> None:
    assert read(tmp_path / name, PAGE) == [Record(1, {"path": f"in/{name}", "text": TEXT}, TEXT)]


def test_a_page_without_text_is_told(tmp_path: Path) -> None:
    assert read(tmp_path / "a.html", b"<html></html>") == [
        Broken(1, "no text was found in this page", "<html></html>", "broken_html")
    ]


def test_a_pdf_is_the_text_of_its_pages(tmp_path: Path) -> None:
    [found] = read(tmp_path / "a.pdf", pdf("A spider has eight legs.", "", "An insect has six."))

    assert found.value == {"path": "in/a.pdf", "text": "A spider has eight legs.\n\nAn insect has six."}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (pdf("", ""), "no text in its 2 pages: want text; recognise its pictures first"),
        (b"no PDF", "no PDF that can be read: Failed to load document (PDFium: Data format error)."),
        (b"", "no PDF that can be read: Failed to load document (PDFium: Data format error)."),
    ],
)
def test_a_pdf_that_gives_nothing_is_told(tmp_path: Path, content: bytes, why: str) -> None:
    assert read(tmp_path / "a.pdf", content) == [Broken(1, why, "", "broken_pdf")]


def test_a_page_whose_reader_is_not_installed_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, kind in (("trafilatura", "a.html", "HTML"), ("pypdfium2", "a.pdf", "PDF")):
        monkeypatch.setitem(__import__("sys").modules, module, None)
        with pytest.raises(UserError) as told:
            read(tmp_path / name, b"")
        advice = f"{kind} is read by {module}, which is not there: `uv sync --extra documents`"
        assert str(told.value) == f"{tmp_path}/{name}: {advice}"


TAGS = st.sampled_from(["<p>", "</p>", "<", ">", "&#0;", "&amp;", "<h1>", "</h1>", "<!--", "<table><tr><td>", "a b c. ",
                        "<svg>", "<a href='x'>", "é", "\0", "<?xml?>", "<![CDATA["])  # fmt: skip


@settings(max_examples=60)
@given(st.lists(TAGS).map("".join).map(str.encode) | st.binary())
def test_any_page_is_a_document_or_told(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    assert len(read(tmp_path_factory.getbasetemp() / "a.html", content)) == 1


@settings(max_examples=60)
@given(st.integers(0, 600), st.integers(0, 600), st.binary(max_size=3))
def test_any_damaged_pdf_is_a_document_or_told(
    tmp_path_factory: pytest.TempPathFactory, start: int, end: int, new: bytes
) -> None:
    content = pdf("A spider.")
    assert len(read(tmp_path_factory.getbasetemp() / "a.pdf", content[:start] + new + content[end:])) == 1
    assert pypdfium2  # is what reads them
