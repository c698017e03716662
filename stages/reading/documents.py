"""Documents cut into several rows: pieces of text to train on and, on request, headings as questions."""

import re
from collections.abc import Iterator

import msgspec

from stages.params.data import Documents
from stages.rows.row import Chat, Content, Message, Text

HEADING = re.compile(r"#{1,6} +(\S.*)")
QUESTION = "Which heading does this text stand under?\n\n"


class Document(msgspec.Struct, frozen=True):
    path: str  # the document's name and the group of its rows, so that all go to one split; "" groups by content
    text: str


def contents(document: Document, params: Documents) -> list[Content]:
    """The pieces of a document, then its questions, without white space around them; a blank document stays one text.

    Raises:
        AssertionError: the pieces together are not the document.
    """
    pieces: list[Content] = []
    questions: list[Content] = []
    parts: list[str] = []
    for heading, section in sections(document.text):
        section_parts = split_text(section, params.max_chars)
        parts += section_parts
        pieces += [Text(part.strip()) for part in section_parts if part.strip()]
        paragraphs = (paragraph.strip() for paragraph in section.partition("\n")[2].split("\n\n"))
        sentence = next((paragraph for paragraph in paragraphs if paragraph.endswith(".")), "")  # no table, no code
        if params.headings and heading and sentence:
            passage = split_text(sentence, params.max_chars)[0].strip()
            questions.append(Chat([Message("user", QUESTION + passage), Message("assistant", heading)]))
    if "".join(parts) != document.text:
        raise AssertionError(f"{document.path}: its pieces are not the document")
    return [*pieces, *questions] or [Text(document.text)]


def sections(text: str) -> Iterator[tuple[str, str]]:
    """(heading, section with its heading) in order; text before the first heading has heading "".

    A heading is a line such as `# Notes` between blank lines (or the ends of the text): comments in code seldom are.
    """
    lines = text.split("\n")
    blank = [not line.strip() for line in lines]
    blank += [True]  # after the last line; as blank[-1] also before the first
    starts = [(i, m[1].strip()) for i, line in enumerate(lines)
              if (m := HEADING.fullmatch(line)) and blank[i - 1] and blank[i + 1]]  # fmt: skip
    if not starts or starts[0][0] > 0:
        starts.insert(0, (0, ""))
    for (start, heading), (end, _) in zip(starts, [*starts[1:], (len(lines), "")], strict=True):
        yield heading, "\n".join(lines[start:end]) + ("\n" if end < len(lines) else "")


def split_text(text: str, max_chars: int) -> list[str]:
    """Parts of at most `max_chars` characters that together are the text.

    A part ends after the last blank line in its second half, else after the last line, else the last word, else at
    `max_chars`.
    """
    parts, start = [], 0
    while len(text) - start > max_chars:
        middle, full = start + max_chars // 2, start + max_chars
        ends = (text.rfind(separator, middle, full) + len(separator) for separator in ("\n\n", "\n", " "))
        end = next((end for end in ends if end > middle), full)
        parts.append(text[start:end])
        start = end
    return [*parts, text[start:]]
