"""A JSON document: an array of records, or an object of splits such as {"train": [[text, label], …], "test": …}.

An object with one list beside other values, such as {"version": 1, "data": […]}, has its records there. One of columns,
such as {"text": ["a", "b"], "label": [0, 1]}, is a table (`json_columns`), whose rows are its records. Any other one
is a record itself. A file that begins with two lines of an object each is read as JSON Lines.

Elements are read one at a time through a window: every record has its line, a file that is cut off loses only its end,
and memory holds one element.
"""

import json
import re
from collections.abc import Generator, Iterator
from itertools import chain
from typing import BinaryIO

from stages.reading import repeated_names
from stages.reading.containers import json_columns, jsonl, stream
from stages.reading.containers.json_window import Element, Window
from stages.reading.containers.record import MAX_BROKEN_CHARS, Broken, Record, Tell, Unreadable
from stages.reading.containers.split_names import SPLITS, split_from_name

OF_A_RECORD = ("messages", "conversations", "conversation", "prompt", "completion", "chosen", "rejected", "history")
COLUMNS = "want records, or columns of one length; pandas writes records with `to_json(orient='records')`"
PEEKED_CHARS = 1 << 18  # that tell an array, an object and JSON Lines apart
ARRAY = re.compile(r"\s*\[\s*\{")
WANTED = 'want an array of records, or an object of splits such as {"train": [[text, label], …]}'


def read(file: BinaryIO, tell: Tell) -> Iterator[Record | Broken]:
    """The records of the document; everything after the first error is one broken record.

    Raises:
        Unreadable: the file is not UTF-8 text, an element is longer than MAX_RECORD_SIZE, or several lists may have
            the records.
    """
    beginning, chunks = _peek(stream.text_chunks(file))
    if _is_lines(beginning):
        tell("its lines are one record each, as in JSON Lines")
        yield from jsonl.records(stream.lines_of(chunks, jsonl.ADVICE))
    else:
        yield from _records(Window(chunks), tell)


def read_lines(file: BinaryIO, tell: Tell) -> Iterator[Record | Broken]:
    """The records of JSON Lines; also of an array, as it is often named so.

    Raises:
        Unreadable: as for `read`.
    """
    beginning, chunks = _peek(stream.text_chunks(file))
    line, _, more = beginning.lstrip().partition("\n")
    if ARRAY.match(beginning) and not (more.strip() and _is_value(line)):
        tell("it is one array of records, not JSON Lines")
        yield from _records(Window(chunks), tell)
    else:
        yield from jsonl.records(stream.lines_of(chunks, jsonl.ADVICE))


def _peek(chunks: Iterator[str]) -> tuple[str, Iterator[str]]:
    """(the first PEEKED_CHARS characters, all chunks)."""
    read, size = [], 0
    while size < PEEKED_CHARS and (chunk := next(chunks, "")):
        read.append(chunk)
        size += len(chunk)
    return "".join(read)[:PEEKED_CHARS], chain(read, chunks)


def _records(window: Window, tell: Tell) -> Iterator[Record | Broken]:
    try:
        for (line, value, text), split in _elements(window, tell):
            if isinstance(value, dict):
                yield jsonl.record(line, value, text, split)
            elif isinstance(value, list) and len(value) == 2 and all(isinstance(v, str) for v in value):
                yield Record(line, {"text": value[0], "label": value[1]}, text, split)
            else:
                yield Broken(line, "no JSON object", text)
    except (ValueError, RecursionError) as error:
        window.reset()
        line, (text, chars_left) = window.line(), window.take_rest(MAX_BROKEN_CHARS)
        more = f"; {chars_left} more characters are not kept here" if chars_left else ""
        yield Broken(line, f"no JSON: {error}{more}", text)


def _is_lines(beginning: str) -> bool:
    line, _, more = beginning.lstrip().partition("\n")
    return line[:1] == "{" and more.lstrip()[:1] == "{" and _is_value(line)


def _is_value(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _elements(window: Window, tell: Tell) -> Iterator[tuple[Element, str]]:
    """(element, split) of every array of the document; raises ValueError where the document breaks off."""
    if window.take("["):
        yield from _array(window, "")
    elif window.peek() == "{":
        yield from _object(window, tell)
    else:
        raise ValueError(WANTED)
    if window.peek():
        raise ValueError("more text after the document's end")


def _object(window: Window, tell: Tell) -> Iterator[tuple[Element, str]]:
    """(element, split) of every array of an object; an object without arrays, or of one dialogue, is the element."""
    window.mark()
    window.take("{")
    lists: list[str] = []
    others: list[str] = []
    told: list[str] = []
    column = ""
    while not window.take("}"):
        line, name = window.line(), window.take_value().value
        if not isinstance(name, str) or not window.take(":"):
            raise ValueError(WANTED)
        if window.peek() != "[":
            others.append(name)
            window.take_value()
        elif name in OF_A_RECORD and not lists:
            break
        else:
            window.take("[")
            if not lists and name.lower() not in SPLITS and window.peek() not in ("{", "[", "]"):
                column = name
                break
            window.unmark()
            lists.append(name)
            split = split_from_name(name)
            if split not in ("", "train") and name.lower() not in SPLITS:
                tell(f"the name of its list {name!r} says {split}")
            for element, _ in _array(window, split):
                if not split and isinstance(element.value, str | int | float):
                    raise ValueError(f"{name!r} is a list of single values: {COLUMNS}")
                if not split and name not in told:
                    told.append(name)
                    tell(f"the list {name!r} has its records")
                yield element, split
        if len(lists) > 1 and others and not all(map(split_from_name, lists)):
            raise Unreadable(
                f"{line}: lists {', '.join(lists)} beside {', '.join(others)}: want one list of records, or lists by "
                "split; write the list that has them into a file of its own"
            )
        window.take(",")
    if not lists:
        window.reset()
        yield from _whole(window, column, tell)
    elif others:
        tell(f"beside its records, not read: {', '.join(others)}")


def _whole(window: Window, column: str, tell: Tell) -> Iterator[tuple[Element, str]]:
    """The elements of an object that is a record itself, or a table of columns.

    Args:
        column: name of the first list, if it has single values.
    """
    element = window.take_value()
    try:
        repeated_names.check(element.text, element.value)
    except repeated_names.RepeatedNameError:
        yield element, ""  # told of as any record that has a name twice
        return
    records = json_columns.records(element.value, OF_A_RECORD)
    if not records:
        values = list(element.value.values())
        if column and any(isinstance(value, list) and value and isinstance(value[0], dict) for value in values):
            raise ValueError(f"{column!r} is a list of single values: {COLUMNS}")
        if values and all(isinstance(value, dict) and value and all(map(str.isdecimal, value)) for value in values):
            raise ValueError(COLUMNS)
        yield element, ""
        return
    tell("its lists are columns of a table, and its records are the rows")
    for number, record in enumerate(records, 1):
        yield Element(number, record, json.dumps(record, ensure_ascii=False)), ""


def _array(window: Window, split: str) -> Generator[tuple[Element, str], None, None]:
    """Takes the elements of an array after its opening bracket, and the closing one."""
    while not window.take("]"):
        yield window.take_value(), split
        if not window.take(",") and window.peek() != "]":
            raise ValueError("want , or ]" if window.peek() else "the file ends before its ]")
