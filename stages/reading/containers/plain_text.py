"""Plain text: a paragraph a record, or a whole file as a document."""

from collections.abc import Iterator
from typing import BinaryIO

from stages.reading.containers import stream
from stages.reading.containers.record import LONGEST, Record, too_long

ADVICE = "want blank lines between paragraphs"


def paragraphs(file: BinaryIO) -> Iterator[Record]:
    """What stands between blank lines."""
    paragraph: list[str] = []
    size = number = 0

    def found() -> Record:
        whole = "\n".join(paragraph)
        return Record(number - len(paragraph) + 1, {"text": whole}, whole)

    for line in stream.lines(file, ADVICE):
        if line.strip():
            number += 1
            paragraph.append(line.rstrip())
            size += len(line)
            if size > LONGEST:
                raise too_long(number - len(paragraph) + 1, "the paragraph", ADVICE)
            continue
        if paragraph:
            yield found()
        paragraph, size = [], 0
        number += 1
    if paragraph:
        yield found()


def document(file: BinaryIO) -> Iterator[Record]:
    """The whole file, as a document; its path is the file's."""
    text = "".join(stream.lines(file, ADVICE)).replace("\r\n", "\n")
    if len(text) > LONGEST:
        raise too_long(1, "the document", "split it")
    yield Record(1, {"path": None, "text": text}, text)
