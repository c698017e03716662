"""Repairs of a text in any row. Typos and noise stay: rows should look like what a model will meet.

Encoding is repaired in every text, so that a word stays the same wherever a row repeats it. White space and control
characters stay where they may be content.
"""

import re
import unicodedata

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # category Cc but for tab and \n
LINE_END = re.compile("[\r\x0b\x0c]")  # an old line end, a tab of lines, a new page
FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)")
LAYOUT = re.compile(r"\t|\A[^\S\n]{2}|\n[^\S\n]+(?=\S)")  # a tab or an indented line: code, tables, diffs


def fix_mojibake(text: str) -> str:
    """Undoes mojibake, of which plain ASCII has none."""
    if text.isascii():
        return text
    import ftfy

    return ftfy.fix_encoding(text)


def compose(text: str) -> str:
    """The text in Unicode NFC."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def drop_control(text: str) -> str:
    """The text with newlines as \\n and, outside fenced code, without control characters but newline and tab."""
    if not CONTROL.search(text):
        return text
    lines = text.replace("\r\n", "\n").split("\n")
    in_code, _ = fenced_code(lines)
    for number, line in enumerate(lines):
        if not in_code[number]:
            lines[number] = CONTROL.sub("", LINE_END.sub("\n", line))
    return "\n".join(lines)


def strip(text: str) -> str:
    """The text without white space at its ends, unless that may be content.

    It may be where a line is indented or has a tab, and in fenced code that is not closed. Closed blocks do not count.
    """
    stripped = text.strip()
    if len(stripped) in (0, len(text)):
        return stripped
    lines = text.split("\n")
    in_code, is_open = fenced_code(lines)
    prose = "\n".join(line for line, is_code in zip(lines, in_code, strict=True) if not is_code)
    return text if is_open or LAYOUT.search(prose) else stripped


def fenced_code(lines: list[str]) -> tuple[list[bool], bool]:
    """(for each line whether it is inside fenced code, whether the last block is open), as CommonMark 0.31 has it."""
    in_code, fence = [], ""
    for line in lines:
        match = FENCE.match(line)
        closes = bool(fence and match and match[1].startswith(fence) and not match[2].strip())
        in_code.append(bool(fence) and not closes)
        if closes:
            fence = ""
        elif match and not fence:
            fence = match[1]
    return in_code, bool(fence)
