"""A JSON document: an array of records, or an object of splits such as {"train": [[text, label], …], "test": …}.

Elements are read one at a time through a window: every record has its line, a file that is cut off loses only its end,
and memory holds one element.
"""

from collections.abc import Generator, Iterator
from typing import BinaryIO

from stages.reading.containers import stream
from stages.reading.containers.json_window import Element, Window
from stages.reading.containers.record import MAX_BROKEN_CHARS, Broken, Record
from stages.reading.containers.split_names import split_from_name

WANTED = 'want an array of records, or an object of splits such as {"train": [[text, label], …]}'


def read(file: BinaryIO) -> Iterator[Record | Broken]:
    """The records of the document; everything after the first error is one broken record.

    Raises:
        Unreadable: the file is not UTF-8 text, or an element is longer than MAX_RECORD_SIZE.
    """
    window = Window(stream.text_chunks(file))
    try:
        for (line, value, text), split in _elements(window):
            if isinstance(value, dict):
                yield Record(line, value, text, split)
            elif isinstance(value, list) and len(value) == 2 and all(isinstance(v, str) for v in value):
                yield Record(line, {"text": value[0], "label": value[1]}, text, split)
            else:
                yield Broken(line, "no JSON object", text)
    except (ValueError, RecursionError) as error:
        line, (text, chars_left) = window.line(), window.take_rest(MAX_BROKEN_CHARS)
        more = f"; {chars_left} more characters are not kept here" if chars_left else ""
        yield Broken(line, f"no JSON: {error}{more}", text)


def _elements(window: Window) -> Iterator[tuple[Element, str]]:
    """(element, split) of every array of the document; raises ValueError where the document breaks off."""
    if window.take("["):
        yield from _array(window, "")
    elif window.take("{"):
        while not window.take("}"):
            yield from _array(window, split_from_name(_array_name(window)))
            window.take(",")
    else:
        raise ValueError(WANTED)
    if window.peek():
        raise ValueError("more text after the document's end")


def _array_name(window: Window) -> str:
    """Takes `"name": [` and returns the name; takes nothing if the text is anything else."""
    window.mark()
    name = window.take_value().value
    if not isinstance(name, str) or not window.take(":") or not window.take("["):
        window.reset()
        raise ValueError(WANTED)
    window.unmark()
    return name


def _array(window: Window, split: str) -> Generator[tuple[Element, str], None, None]:
    """Takes the elements of an array after its opening bracket, and the closing one."""
    while not window.take("]"):
        yield window.take_value(), split
        if not window.take(",") and window.peek() != "]":
            raise ValueError("want , or ]" if window.peek() else "the file ends before its ]")
