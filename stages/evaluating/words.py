"""The words of a text in any language, for metrics that compare words."""

import re
import unicodedata

ASCII_WORD = re.compile("[a-z0-9]+")
UNSPACED = re.compile(  # scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana, Chinese
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def words(text: str) -> list[str]:
    """Runs of letters, marks and digits, without case; in a script without spaces every character is a word."""
    if text.isascii():
        return ASCII_WORD.findall(text.lower())
    apart = UNSPACED.sub(r" \g<0> ", unicodedata.normalize("NFKC", text).casefold())
    return "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in apart).split()
