"""Repairs of a text in any row. Typos and noise stay: rows should look like what a model will meet."""

import re
import unicodedata

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # category Cc but for tab, \n and \r


def fix_mojibake(text: str) -> str:
    """Undoes mojibake, of which plain ASCII has none."""
    if text.isascii():
        return text
    import ftfy

    return ftfy.fix_encoding(text)


def normalise(text: str) -> str:
    """Unicode NFC, newlines as \\n, no control characters but newline and tab, no white space at either end."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", CONTROL.sub("", text)).strip()
