"""HTML: the main text of a page as one document; a page without text is one broken record."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages.reading import files
from stages.reading.containers.record import Broken, Record
from tests.reading.raw_files import read_bytes

PAGE = b"""<!doctype html><html><head><title>Spiders</title><script>alert(1)</script></head><body>
<nav><a href="/">Home</a> <a href="/more">More</a></nav>
<article><h1>Spiders</h1><p>A spider has eight legs, and an insect has six of them, as everyone can count.</p>
<h2>Webs</h2><p>Most spiders spin a web of silk that is stronger than steel of the same weight.</p></article>
<footer>All rights reserved</footer></body></html>"""
TEXT = (
    "# Spiders\n\nA spider has eight legs, and an insect has six of them, as everyone can count.\n\n"
    "## Webs\n\nMost spiders spin a web of silk that is stronger than steel of the same weight."
)


@pytest.mark.parametrize("name", ["a.html", "a.htm", "a.HTML"])
def test_a_page_is_its_text_with_headings_and_without_menus(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(PAGE)

    assert list(files.read(tmp_path / name, f"in/{name}")) == [Record(1, {"path": f"in/{name}", "text": TEXT}, TEXT)]


def test_a_page_without_text_is_broken(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, "a.html", b"<html></html>") == [
        Broken(1, "no text was found in this page", "<html></html>", "broken_html")
    ]


def test_a_missing_html_reader_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "trafilatura", None)
    with pytest.raises(UserError) as error:
        read_bytes(tmp_path, "a.html", b"")

    advice = "HTML is read by trafilatura, which is not installed: `uv sync --extra documents`"
    assert str(error.value) == f"{tmp_path}/a.html: {advice}"


TAGS = st.sampled_from(["<p>", "</p>", "<", ">", "&#0;", "&amp;", "<h1>", "</h1>", "<!--", "<table><tr><td>", "a b c. ",
                        "<svg>", "<a href='x'>", "é", "\0", "<?xml?>", "<![CDATA["])  # fmt: skip


@settings(max_examples=60)
@given(st.lists(TAGS).map("".join).map(str.encode) | st.binary())
def test_any_page_is_one_document_or_one_broken_record(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    assert len(read_bytes(tmp_path_factory.getbasetemp(), "a.html", content)) == 1
