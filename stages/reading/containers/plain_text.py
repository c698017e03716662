"""Plain text: each paragraph a record, or the whole file one document."""

from collections.abc import Iterator
from typing import BinaryIO

from stages.reading.containers import stream
from stages.reading.containers.record import MAX_RECORD_SIZE, Record, Tell, too_long

ADVICE = "want blank lines between paragraphs"


def paragraphs(file: BinaryIO, tell: Tell) -> Iterator[Record]:
    """{"text"} records of the paragraphs, which blank lines separate.

    Raises:
        Unreadable: the file is not UTF-8 text, or a paragraph is longer than MAX_RECORD_SIZE.
    """
    paragraph: list[str] = []
    size = number = 0

    def record() -> Record:
        text = "\n".join(paragraph)
        return Record(number - len(paragraph) + 1, {"text": text}, text)

    for line in stream.lines(file, ADVICE):
        if line.strip():
            number += 1
            paragraph.append(line.rstrip())
            size += len(line)
            if size > MAX_RECORD_SIZE:
                raise too_long(number - len(paragraph) + 1, "the paragraph", ADVICE)
            continue
        if paragraph:
            yield record()
        paragraph, size = [], 0
        number += 1
    if paragraph:
        yield record()


def document(file: BinaryIO, tell: Tell) -> Iterator[Record]:
    """The whole file as one {"path", "text"} record; the caller fills in the path.

    Raises:
        Unreadable: the file is not UTF-8 text, or longer than MAX_RECORD_SIZE.
    """
    text = "".join(stream.lines(file, ADVICE)).replace("\r\n", "\n")
    if len(text) > MAX_RECORD_SIZE:
        raise too_long(1, "the document", "split it")
    yield Record(1, {"path": None, "text": text}, text)
