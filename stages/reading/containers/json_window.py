"""A text that comes in pieces, of which JSON values are taken one after the other."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from stages.reading.containers.record import LONGEST, too_long

SPACE = re.compile(r"[ \t\r\n]*")
AHEAD = 16  # characters that an error may want to see: both halves of a pair are \ud83d\ude00


class Element(NamedTuple):
    line: int
    value: Any
    text: str


class Window:
    """The text from some place on; what was taken is forgotten."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._text = ""
        self._at = 0  # in the window
        self._held: int | None = None  # in the window: from here on nothing is forgotten
        self._forgotten = 0  # characters before the window
        self._newlines = 0  # before `_counted`
        self._counted = 0  # in the window
        self._line_start = 0  # in the whole text, of the line that `_counted` is in

    def peek(self) -> str:
        """The next character that is no white space, or "" at the end; what is before it is taken."""
        while True:
            self._at = SPACE.match(self._text, self._at).end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, character: str) -> bool:
        """Whether the next character is this one; if so it is taken, with the white space around."""
        if self.peek() != character:
            return False
        self._at += 1
        self.peek()
        return True

    def value(self) -> Element:
        """Takes the next JSON value.

        Raises:
            ValueError: there is none; the window stays where it should begin.
        """
        self.peek()
        while True:
            try:
                value, end = json.JSONDecoder().raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated string") or error.pos + AHEAD > len(self._text)
                if cut and self._more():
                    continue
                raise ValueError(self._told(error)) from None
            if end + 2 < len(self._text) or not self._more():  # else a number may go on
                break
        text = self._text[self._at : end]
        line = self.line()
        self._at = end
        return Element(line, value, text)

    def hold(self) -> None:
        """Lets nothing be forgotten from here on, until `back` or `free`."""
        self._held = self._at

    def back(self) -> None:
        """Goes back to where it was held."""
        self._at, self._held = self._held or 0, None

    def free(self) -> None:
        """Goes on from here."""
        self._held = None

    def line(self) -> int:
        """The line that the next character stands on."""
        self._count(self._at)
        return self._newlines + 1

    def rest(self, shown: int) -> tuple[str, int]:
        """Takes all that is left: so many characters of it, and the number of the others."""
        found, left = self._text[self._at : self._at + shown], max(0, len(self._text) - self._at - shown)
        for piece in self._pieces:
            taken = piece[: shown - len(found)]
            found += taken
            left += len(piece) - len(taken)
        return found, left

    def _more(self) -> bool:
        """Reads on, at least as much again as what is not taken yet, so that trying again stays cheap."""
        start = self._at if self._held is None else self._held
        kept = len(self._text) - start
        if kept > LONGEST:
            raise too_long(self.line(), "the record", "split it, or mend what is open in it")
        parts, size = [], 0
        while size <= kept and (piece := next(self._pieces, "")):
            parts.append(piece)
            size += len(piece)
        if not parts:
            return False
        self._count(start)
        self._text = self._text[start:] + "".join(parts)
        self._forgotten += start
        self._at -= start
        self._counted -= start
        if self._held is not None:
            self._held = 0
        return True

    def _count(self, to: int) -> None:
        if to < self._counted:  # of what is held
            return
        found = self._text.count("\n", self._counted, to)
        if found:
            self._newlines += found
            self._line_start = self._forgotten + self._text.rindex("\n", self._counted, to) + 1
        self._counted = to

    def _told(self, error: json.JSONDecodeError) -> str:
        """The error with its place in the whole text."""
        char = self._forgotten + error.pos
        line, start = self.line(), self._line_start
        if found := self._text.count("\n", self._at, error.pos):
            line += found
            start = self._forgotten + self._text.rindex("\n", self._at, error.pos) + 1
        return f"{error.msg}: line {line} column {char - start + 1} (char {char})"
