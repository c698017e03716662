"""Documents: the pieces together are the document, and questions quote it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.params.data import Documents
from stages.reading.documents import QUESTION, Document, contents, sections, split_text
from stages.rows.row import Chat, Message, Text

PAGE = """\
ABORT
  SQL command

# Description

   ABORT rolls back the current
   transaction.

   It is there for history.

# Examples

ABORT;

   To abort all changes:

# a comment in code
ABORT;

# See Also

"""


def question(passage: str, heading: str) -> Chat:
    return Chat([Message("user", QUESTION + passage), Message("assistant", heading)])


def test_every_section_is_a_piece_and_the_first_sentence_under_a_heading_asks_for_it() -> None:
    assert contents(Document("abort", PAGE), Documents(max_chars=1000, headings=True)) == [
        Text("ABORT\n  SQL command"),
        Text("# Description\n\n   ABORT rolls back the current\n   transaction.\n\n   It is there for history."),
        Text("# Examples\n\nABORT;\n\n   To abort all changes:\n\n# a comment in code\nABORT;"),
        Text("# See Also"),
        question("ABORT rolls back the current\n   transaction.", "Description"),
    ]  # Examples and See Also have no paragraph that ends in a full stop


def test_a_long_section_is_split_and_its_question_too() -> None:
    pieces = contents(Document("d", "# A\n\nOne two three. Four five six.\n"), Documents(max_chars=16, headings=True))

    assert pieces == [
        Text("# A\n\nOne two"),
        Text("three. Four"),
        Text("five six."),
        question("One two three.", "A"),
    ]


def test_headings_are_questions_only_on_request() -> None:
    kinds = {type(content) for content in contents(Document("d", PAGE), Documents(max_chars=1000, headings=False))}

    assert kinds == {Text}


@pytest.mark.parametrize(
    ("text", "headings"),
    [
        ("# A\n\na\n\n## B b\n\nb\n", ["A", "B b"]),
        ("before\n\n# A\n\na", ["", "A"]),
        ("# A", ["A"]),
        ("# A\n# B\n", [""]),
        ("a\n# A\n\na", [""]),
        ("#A\n\n####### B\n\n# \n\n", [""]),
        ("", [""]),
    ],
)
def test_a_heading_has_blank_lines_around_it(text: str, headings: list[str]) -> None:
    assert [heading for heading, _ in sections(text)] == headings


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("12345678", ["12345678"]),
        ("123456789", ["12345678", "9"]),
        ("12345\n\n89 1", ["12345\n\n", "89 1"]),  # a blank line rather than a word
        ("12345\n78 1 3", ["12345\n", "78 1 3"]),
        ("1\n\n4567 90", ["1\n\n4567 ", "90"]),  # not in the first half
    ],
)
def test_a_part_ends_at_a_blank_line_else_a_line_else_a_word(text: str, parts: list[str]) -> None:
    assert split_text(text, 8) == parts


SNIPPETS = st.lists(st.sampled_from(["# A", "# ", "a.", "b c", "\n", "\n\n", "  ", "é", "\r\n"]), max_size=30).map(
    "".join
)


@given(SNIPPETS | st.text(), st.integers(1, 20))
def test_nothing_of_a_document_is_left_out_or_repeated(text: str, max_chars: int) -> None:
    pieces = contents(Document("d", text), Documents(max_chars, headings=True))

    assert "".join(section for _, section in sections(text)) == text
    assert "".join(part for _, section in sections(text) for part in split_text(section, max_chars)) == text
    texts = [content.text for content in pieces if isinstance(content, Text)]
    assert "".join("".join(texts).split()) == "".join(text.split())
    if text.strip():
        assert all(0 < len(piece) <= max_chars for piece in texts)
    for content in pieces:
        if isinstance(content, Chat):
            question, answer = (message.content for message in content.messages)
            assert question.removeprefix(QUESTION) in text and answer in text
