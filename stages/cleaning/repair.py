"""What is mended in a text, whatever its row is. Typos and noise stay: rows should look like what a model will meet."""

import re
import unicodedata

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # the category Cc but for newlines, \r and tab


def mend(text: str) -> str:
    """Undoes mojibake; text that is plain ASCII cannot have any."""
    if text.isascii():
        return text
    import ftfy

    return ftfy.fix_encoding(text)


def normalise(text: str) -> str:
    """Unicode NFC, newlines as \\n, no other control characters but tab, no white space around."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", CONTROL.sub("", text)).strip()
