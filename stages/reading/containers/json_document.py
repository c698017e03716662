"""A JSON document: an array of records, or an object of splits such as {"train": [[text, label], …], "test": …}.

Read element by element through a window, so that every record has its line, a file that is cut off loses only its end,
and memory holds an element, not the file.
"""

from collections.abc import Generator, Iterator
from typing import BinaryIO, NamedTuple

from stages.reading.containers import stream
from stages.reading.containers.json_window import Element, Window
from stages.reading.containers.record import SHOWN, Broken, Record
from stages.reading.containers.split_names import named

WANTED = 'want an array of records, or an object of splits such as {"train": [[text, label], …]}'


class Found(NamedTuple):
    element: Element
    split: str


def read(file: BinaryIO) -> Iterator[Record | Broken]:
    """The records of the document; what is after its first error is one broken record."""
    window = Window(stream.pieces(file))
    try:
        for (line, value, text), split in _elements(window):
            if isinstance(value, dict):
                yield Record(line, value, text, split)
            elif isinstance(value, list) and len(value) == 2 and all(isinstance(v, str) for v in value):
                yield Record(line, {"text": value[0], "label": value[1]}, text, split)
            else:
                yield Broken(line, "no JSON object", text)
    except (ValueError, RecursionError) as error:
        line, found, left = window.line(), *window.rest(SHOWN)
        more = f"; {left} more characters are not kept here" if left else ""
        yield Broken(line, f"no JSON: {error}{more}", found)


def _elements(window: Window) -> Iterator[Found]:
    """Every element of the document's arrays; a ValueError where it breaks off."""
    if window.take("["):
        yield from _array(window, "")
    elif window.take("{"):
        while not window.take("}"):
            yield from _array(window, named(_name(window)))
            window.take(",")
    else:
        raise ValueError(WANTED)
    if window.peek():
        raise ValueError("more text after the document's end")


def _name(window: Window) -> str:
    """The name before an array, both of which are taken from the window only if they are right."""
    window.hold()
    name = window.value().value
    if not isinstance(name, str) or not window.take(":") or not window.take("["):
        window.back()
        raise ValueError(WANTED)
    window.free()
    return name


def _array(window: Window, split: str) -> Generator[Found, None, None]:
    """The elements of an array that is open, and its end."""
    while not window.take("]"):
        yield Found(window.value(), split)
        if not window.take(",") and window.peek() != "]":
            raise ValueError("want , or ]" if window.peek() else "the file ends before its ]")
