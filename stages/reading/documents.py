"""A document becomes several rows: pieces of its text to train on and, where asked for, its headings as questions."""

import re
from collections.abc import Iterator

import msgspec

from stages.params.data import Documents
from stages.rows.row import Chat, Content, Message, Text

HEADING = re.compile(r"#{1,6} +(\S.*)")
QUESTION = "Which heading does this text stand under?\n\n"


class Document(msgspec.Struct, frozen=True):
    path: str  # names the document: its rows go to the split that this hashes to, or its content where it has no name
    text: str


def contents(document: Document, params: Documents) -> list[Content]:
    """Every piece of the document, then every question about it, white space around them taken off.

    Asserts that the pieces together are the document. A blank document gives its blank text.
    """
    found: list[Content] = []
    questions: list[Content] = []
    parts: list[str] = []
    for heading, section in sections(document.text):
        pieces = cut(section, params.max_chars)
        parts += pieces
        found += [Text(piece.strip()) for piece in pieces if piece.strip()]
        paragraphs = (paragraph.strip() for paragraph in section.partition("\n")[2].split("\n\n"))
        said = next(
            (paragraph for paragraph in paragraphs if paragraph.endswith(".")), ""
        )  # a sentence: no table, no code
        if params.headings and heading and said:
            passage = cut(said, params.max_chars)[0].strip()
            questions.append(Chat([Message("user", QUESTION + passage), Message("assistant", heading)]))
    if "".join(parts) != document.text:
        raise AssertionError(f"{document.path}: its pieces are not the document")
    return [*found, *questions] or [Text(document.text)]


def sections(text: str) -> Iterator[tuple[str, str]]:
    """(heading, section with its heading) in order; what stands before the first heading has none.

    A heading is a line such as `# Notes` with blank lines (or nothing) around it: a comment in code seldom has both.
    """
    lines = text.split("\n")
    blank = [not line.strip() for line in lines]
    blank += [True]  # before the first line, as blank[-1], and after the last
    starts = [(i, m[1].strip()) for i, line in enumerate(lines)
              if (m := HEADING.fullmatch(line)) and blank[i - 1] and blank[i + 1]]  # fmt: skip
    if not starts or starts[0][0] > 0:
        starts.insert(0, (0, ""))
    for (start, heading), (end, _) in zip(starts, [*starts[1:], (len(lines), "")], strict=True):
        yield heading, "\n".join(lines[start:end]) + ("\n" if end < len(lines) else "")


def cut(text: str, max_chars: int) -> list[str]:
    """Parts of at most `max_chars` characters that together are the text.

    A cut is after the last blank line, else line, else word, of the second half of a part; else where it is full.
    """
    parts, start = [], 0
    while len(text) - start > max_chars:
        middle, full = start + max_chars // 2, start + max_chars
        ends = (text.rfind(separator, middle, full) + len(separator) for separator in ("\n\n", "\n", " "))
        end = next((end for end in ends if end > middle), full)
        parts.append(text[start:end])
        start = end
    return [*parts, text[start:]]
