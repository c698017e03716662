"""Forms in which the same text is written: marks that look alike, unseen ones, HTML's entities, Markdown's emphasis.

Rows are compared without them. The code of chats is compared to the letter all the same: `wording` takes them from
prose only. For texts to pretrain on, and for questions that would reveal a held-out row, this form decides.
"""

import html
import re

UNSEEN = "\u00ad\u200b\u200e\u200f\u2060\ufe0e\ufe0f\ufeff"  # soft hyphen, zero width, direction, variation of emoji
MARKS = str.maketrans({
    **dict.fromkeys(UNSEEN, ""), **dict.fromkeys("‘’‚‛", "'"), **dict.fromkeys("“”„‟«»", '"'),
    **dict.fromkeys("‐‑‒–−", "-"), **dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f", " "), "…": "...",
})  # fmt: skip
DASH = re.compile(" *— *")
SIGNS = "&<*_"  # in ASCII only texts with one of these have another form
SPAN = r"`[^`\n]+`"  # code in prose
ENTITY = re.compile(rf"{SPAN}|&(?:amp|quot|apos|nbsp|#0*39|#x0*27|#0*34|#0*160);", re.I)
AMPERSAND = re.compile(r"&(?![#\w]+;)")  # in a text with one, entities are meant as they are
BREAK = re.compile(rf"{SPAN}|<br ?/?>", re.I)
EMPHASIS = re.compile(
    rf"{SPAN}|(?<![\w*])(\*{{1,3}})(?=[^\W_]|[\"'“(])([^*\n]*?[\w.,:;!?)\"'”%])\1(?![\w*])"
    r"|(?<![\w_])(_)([^\W\d_]+(?: [^\W\d_]+)*[.,:;!?]?)_(?![\w_])"
)


def plain_form(text: str) -> str:
    """The text in the form in which it is compared; code between backticks stays as it is."""
    if not text.isascii():
        text = DASH.sub(" - ", text.translate(MARKS))
    if not any(sign in text for sign in SIGNS):
        return text
    if "&" in text and not AMPERSAND.search(text):
        text = ENTITY.sub(lambda match: _unless_code(match, html.unescape(match[0]).replace("\u00a0", " ")), text)
    if "<" in text:
        text = BREAK.sub(lambda match: _unless_code(match, "\n"), text)
    return EMPHASIS.sub(lambda match: _unless_code(match, match[2] or match[4] or ""), text)


def _unless_code(match: re.Match[str], form: str) -> str:
    return match[0] if match[0][0] == "`" else form
