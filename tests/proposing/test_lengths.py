"""Lengths are those of the longest row, so that nothing is dropped; what has to be is told before."""

from stages.proposing import lengths
from stages.rows.parts import split
from stages.rows.row import Chat, Content, Message, Row, Text, make_row


def chat(question: int, answer: int) -> Row:
    return make_row(Chat([Message("user", "q" * question), Message("assistant", "a" * answer)]))


def characters(content: Content) -> int:
    return sum(len(message.content) for message in split(content).turns) + len(split(content).text)


def measured(rows: list[Row], most: int = 1024) -> lengths.Lengths:
    return lengths.measure(rows, characters, len, most, lengths.source(rows))


def test_the_longest_row_fits_with_a_margin() -> None:
    found = measured([chat(10, 5), chat(200, 50)])

    assert (found.max_length, found.new_tokens, found.context_tokens) == (320, 64, 384)
    assert found.reason == "the longest row has about 250 tokens"
    assert found.mean_tokens == {"chat": (15 + 250) / 2}


def test_rows_longer_than_the_model_reads_are_dropped_before_they_are_split_and_told() -> None:
    found = measured([chat(10, 5), chat(800, 5), chat(1000, 5), chat(1200, 5)])

    assert (found.max_length, found.new_tokens, found.context_tokens) == (1016, 8, 1024)
    assert found.max_chars == 1004  # 1005 tokens and the margin are more than 1016
    assert found.reason == (
        "the longest row has about 1205 tokens, the model reads 1024: clean drops 2 rows of more than 1,004 characters"
    )
    assert measured([chat(10, 5)]).max_chars is None


def test_a_tiny_model_is_pretrained_on_the_kind_with_the_most_questions_or_texts() -> None:
    assert lengths.source([chat(10, 500), make_row(Text("t" * 20))]) == ("text", 20)
    assert lengths.source([chat(10, 500), make_row(Text("t" * 5))]) == ("chat", 10)


def test_a_longer_text_has_a_larger_vocabulary() -> None:
    assert (lengths.vocab_size(299_999), lengths.vocab_size(300_000)) == (1024, 2048)
