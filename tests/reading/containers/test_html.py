"""HTML: the main text of a page as one document; a page without text is one broken record."""

import html
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


PROSE = "Set max_length and *all* of a[0] ~ `x` <b> C:\\_new \\* before you run it, as 2 * 3 * 4 is 24."
STARTS = ["# is a sign of comments in code.", "1. is the first of all numbers.", "- is what minus looks like here.",
          "+ is plus, and > is more than.", "> is more than, in each of these sentences."]  # fmt: skip


def test_prose_has_the_signs_of_the_page_and_no_backslashes_of_markdown(tmp_path: Path) -> None:
    paragraphs = "".join(f"<p>{html.escape(text)}</p>" for text in (PROSE, *STARTS))
    lists = "<ul><li>max_length of the_list</li></ul><blockquote><p>a_quote with [brackets]</p></blockquote>"
    page = f"<html><body><article><h1>my_title</h1>{paragraphs}{lists}<p>End of all.</p></article></body></html>"

    [record] = read_bytes(tmp_path, "a.html", page.encode())

    lines = record.value["text"].split("\n")
    assert lines[0] == "# my_title"
    assert {PROSE, *STARTS, "- max_length of the_list", "a_quote with [brackets]"} <= set(lines)
    assert record.value["text"].count("\\") == PROSE.count("\\")


def test_code_and_formulas_of_a_page_are_as_they_are(tmp_path: Path) -> None:
    code = 'x_1 = re.sub(r"\\_", "_", a[0])  # *all*\n- y < 3'
    page = (
        f"<html><body><article><p>Some words of prose come first, with <code>a\\_b</code> in code and "
        f"\\(x\\_1 + y_2\\) in a formula.</p><pre><code>{html.escape(code)}</code></pre>"
        "<p>And some more words of prose come last.</p></article></body></html>"
    )

    [record] = read_bytes(tmp_path, "a.html", page.encode())

    assert code in record.value["text"]
    assert "`a\\_b` in code and $x\\_1 + y_2$ in" in record.value["text"]


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
