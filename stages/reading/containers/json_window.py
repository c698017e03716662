"""JSON values taken one after the other from a text that comes in chunks."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from stages.reading.containers.record import MAX_RECORD_SIZE, too_long

SPACE = re.compile(r"[ \t\r\n]*")
LOOKAHEAD_CHARS = 16  # errors this near the end may come from the cut: an escape such as \ud83d\ude00 has 12


class Element(NamedTuple):
    line: int
    value: Any
    text: str


class Window:
    """The part of the text that was read and is not consumed yet."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self._chunks = chunks
        self._text = ""
        self._position = 0  # in `_text`
        self._marked: int | None = None  # in `_text`: nothing from here on is discarded
        self._discarded = 0  # characters before `_text`
        self._newlines = 0  # before `_counted`
        self._counted = 0  # in `_text`
        self._line_start = 0  # in the whole text, of the line that `_counted` is in

    def peek(self) -> str:
        """The next character that is not white space, or "" at the end; takes the white space before it."""
        while True:
            self._position = SPACE.match(self._text, self._position).end()
            if self._position < len(self._text):
                return self._text[self._position]
            if not self._read_more():
                return ""

    def take(self, character: str) -> bool:
        """Takes the next character if it is this one, with the white space around it; returns whether it did."""
        if self.peek() != character:
            return False
        self._position += 1
        self.peek()
        return True

    def take_value(self) -> Element:
        """Takes the next JSON value.

        Raises:
            ValueError: there is none; the window stays at the place where it should begin.
        """
        self.peek()
        while True:
            try:
                value, end = json.JSONDecoder().raw_decode(self._text, self._position)
            except json.JSONDecodeError as error:
                cut_off = error.msg.startswith("Unterminated string") or error.pos + LOOKAHEAD_CHARS > len(self._text)
                if cut_off and self._read_more():
                    continue
                raise ValueError(self._locate(error)) from None
            if end + 2 < len(self._text) or not self._read_more():  # a number at the end may go on
                break
        text = self._text[self._position : end]
        line = self.line()
        self._position = end
        return Element(line, value, text)

    def mark(self) -> None:
        """Keeps all text from here on, until `reset` or `unmark`."""
        self._marked = self._position

    def reset(self) -> None:
        """Goes back to the mark, if there is one."""
        self._position, self._marked = self._position if self._marked is None else self._marked, None

    def unmark(self) -> None:
        """Drops the mark and goes on from here."""
        self._marked = None

    def line(self) -> int:
        """The number of the line of the next character, from 1."""
        self._count_lines(self._position)
        return self._newlines + 1

    def take_rest(self, max_chars: int) -> tuple[str, int]:
        """Takes all remaining text: (its first `max_chars` characters, number of the others)."""
        text = self._text[self._position : self._position + max_chars]
        chars_left = max(0, len(self._text) - self._position - max_chars)
        for chunk in self._chunks:
            head = chunk[: max_chars - len(text)]
            text += head
            chars_left += len(chunk) - len(head)
        return text, chars_left

    def _read_more(self) -> bool:
        """Reads at least as much as the window holds, so that decoding again from its start stays linear in total."""
        start = self._position if self._marked is None else self._marked
        held = len(self._text) - start
        if held > MAX_RECORD_SIZE:
            raise too_long(self.line(), "the record", "split it, or mend what is open in it")
        chunks, size = [], 0
        while size <= held and (chunk := next(self._chunks, "")):
            chunks.append(chunk)
            size += len(chunk)
        if not chunks:
            return False
        self._count_lines(start)
        self._text = self._text[start:] + "".join(chunks)
        self._discarded += start
        self._position -= start
        self._counted -= start
        if self._marked is not None:
            self._marked = 0
        return True

    def _count_lines(self, to: int) -> None:
        if to < self._counted:  # after a reset
            return
        newlines = self._text.count("\n", self._counted, to)
        if newlines:
            self._newlines += newlines
            self._line_start = self._discarded + self._text.rindex("\n", self._counted, to) + 1
        self._counted = to

    def _locate(self, error: json.JSONDecodeError) -> str:
        """The message of an error, with its place in the whole text."""
        char = self._discarded + error.pos
        line, line_start = self.line(), self._line_start
        if newlines := self._text.count("\n", self._position, error.pos):
            line += newlines
            line_start = self._discarded + self._text.rindex("\n", self._position, error.pos) + 1
        return f"{error.msg}: line {line} column {char - line_start + 1} (char {char})"
