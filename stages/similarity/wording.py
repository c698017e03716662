"""Whether two texts that are alike by their letters say the same.

They do if one has all words of the other, in the same order, and has beyond these whole sentences only, or words that
say nothing (`my`, `yet`): a word more within a sentence limits it (`North Korea`, `falsely said`). Edits keep that:
typos, words doubled, a sentence added, other marks, case and white space. What is no plain word is a literal, and both
texts must have the same ones in the same order: numbers, single letters, every word with a sign in it (`>=`, `-v`,
`README.md`, `f(x)`), and lines of code, with their case and white space.
"""

import re
from collections.abc import Iterator, Sequence, Set
from functools import lru_cache
from typing import NamedTuple

from stages.similarity.forms import plain_form
from stages.similarity.words_that_count import CONFUSED, FILLERS, INFLECTIONS, LIGHT, LIMITS, NUMBERS

LITERAL = "="  # first character of a literal
WORD = re.compile(r"[^\W\d_]+(?:['’‑-][^\W\d_]+)*")
NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*")
CODE = re.compile(r"[^\d$€£+-]*[^\W\d]")  # letters with a sign in them, and no number
ARTICLE = re.compile(r"a(?=\s.)|(?:^|(?<=[.!?:]\s)|(?<=[.!?:]\s\s))A(?=\s)|A(?=\s[A-Z]{2})")  # none in "class A and B"
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")  # no spaces between words
WIDE_MARKS = str.maketrans("，。、？！：；「」『』（）\u3000", " " * 14)
OPENING = "\"'“”‘’‚„«»‹›([—–`*¿¡…"
CLOSING = OPENING + ".,;:!?)]"
COUNTING = LIMITS | NUMBERS
BRACKETS = ("()", "[]")
EMPTY = ("()", "[]", '""', "''")  # values, no marks
CACHED = 1 << 14  # texts: many rows have one system prompt, and a row is compared with several
FENCES = ("```", "~~~")
INDENT = re.compile("  |\t")
BULLET = re.compile(r"^\s*(?:[-*+•]\s|#+\s|(?=\d+[.)]\s))\s*")  # of a list, or of a heading
PIECE = re.compile(r"`[^`]+`|[^\s`]+|`")
DASH = re.compile(r"(?<=[^\W\d_]{2}) - (?=[^\W\d_]{2})")
ENDS = (".", "!", "?", "…", ":", ";")  # of sentences
QUOTES = "\"'“”‘’»›)]*_"  # after an end
END = ""  # where a sentence begins
TYPO_CHARS = 5  # of the longer of two words; shorter words that differ are other words
SURE_CHARS = 7  # in shorter words one letter lost or other makes other words more often than typos
UNDOUBLED = re.compile(r"(.)(?=\1)")
COMMON, RARE = 10, 2  # rows that have a word, and a doubtful slip of it
KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBOURS = {  # of a key, on the same row and on the next ones
    key: {k for row, keys in enumerate(KEYS) if abs(row - own) < 2
          for k in keys[max(0, at - 1 + (own > row)) : at + 1 + (own >= row)]} - {key}
    for own, line in enumerate(KEYS) for at, key in enumerate(line)
}  # fmt: skip


class Wording(NamedTuple):
    """The words of a text."""

    words: list[str]  # in lower case, without apostrophes; and literals
    literals: int  # a number that is the same for texts with the same literals
    starts: Set[int]  # at which words sentences begin; the number of words is one of them
    names: Set[str]  # words with a capital, and not in capitals


@lru_cache(CACHED)
def wording(text: str) -> Wording:
    """The words of a text that count."""
    words: list[str] = []
    starts, names, before = {0}, set[str](), END
    for raw in _words(text):
        word = raw if raw == END or raw[0] == LITERAL else raw.casefold()
        if word == END:
            starts.add(len(words))
        elif word[0] == LITERAL or (word not in FILLERS and word != before):
            words.append(word)
            if raw != word and raw[0].isupper() and not raw.isupper():
                names.add(word)
        before = word
    return Wording(words, hash(tuple(word for word in words if word[0] == LITERAL)), {*starts, len(words)}, names)


def plain_words(text: str) -> set[str]:
    """The words of a text that are no literals, as `Wording` has them, and those in literals; ten times as fast."""
    return set(WORD.findall(plain_form(text).casefold().replace("'", "")))


def figures(text: str) -> tuple[list[str], bool]:
    """The numbers of a text in order, and whether a word in it limits or denies something: for texts in other words."""
    words = wording(text).words
    return NUMBER.findall(text), any(word in LIMITS for word in words)


def doubtful_slips(texts: Sequence[tuple[Wording, Wording]]) -> list[tuple[str, str]] | None:
    """Pairs of words: the two texts of each pair say the same if each is a slip; None: they do not in any case.

    Of words that differ the same ones twice are no slip.
    """
    slips: set[tuple[str, str]] = set()
    doubtful = []
    for one, other in texts:
        if one.words == other.words:
            continue
        if one.literals != other.literals:
            return None
        short, long = sorted((one, other), key=lambda text: len(text.words))
        found = _typos(short, long)
        if found is None and len(short.words) == len(long.words):
            found = _typos(long, short)
        if found is None or not slips.isdisjoint(found) or len(found) > len(set(found)):
            return None
        slips.update(found)
        names = one.names | other.names
        doubtful += [slip for slip in found if names.issuperset(slip) or not is_sure(*slip)]
    return doubtful


def _typos(short: Wording, long: Wording) -> list[tuple[str, str]] | None:
    """The pairs of words that differ, if `long` has all words of `short` in order and says no more; else None."""
    found, at, beyond = [], 0, -1  # the first of the words beyond that come just before; -1: none
    wanted = [*short.words, END]
    for place, word in enumerate([*long.words, END]):
        same = word == wanted[at]
        if same or (word and wanted[at] and is_typo(wanted[at], word)):
            if beyond >= 0 and not _says_nothing(long, beyond, place):
                return None
            found += [] if same else [(min(wanted[at], word), max(wanted[at], word))]
            at, beyond = at + 1, -1
        elif beyond < 0:
            beyond = place
    return found if at == len(wanted) else None


def _says_nothing(text: Wording, start: int, end: int) -> bool:
    """Whether the words from `start` to `end` are a sentence of their own, or say nothing; and none of them counts."""
    words = text.words[start:end]
    if any(word[0] == LITERAL or word in COUNTING for word in words):
        return False
    while start not in text.starts and start and text.words[start - 1] == text.words[end - 1]:
        start, end = start - 1, end - 1  # `It is so. It is new.` for `It is new.`: the same words are beyond
    return {start, end} <= text.starts or all(
        word in LIGHT or any(is_typo(word, filler) for filler in FILLERS) for word in words
    )


def is_typo(a: str, b: str) -> bool:
    """Whether one of two words may be the other with a typo; not of short words and literals, nor if both are known."""
    short = max(len(a), len(b)) < TYPO_CHARS or LITERAL in (a[0], b[0])
    return not short and one_slip_apart(a, b) and not {a, b} <= COUNTING and not _are_confused(a, b)


def is_sure(a: str, b: str) -> bool:
    """Whether of two words a slip apart one is no word: they are long, or the same letters are swapped or doubled."""
    return max(len(a), len(b)) >= SURE_CHARS or sorted(a) == sorted(b) or UNDOUBLED.sub("", a) == UNDOUBLED.sub("", b)


def is_rare_form(rows: int, other_rows: int) -> bool:
    """Whether one of two words a slip apart is a typo of the other, by the numbers of rows that have them."""
    return min(rows, other_rows) <= RARE and max(rows, other_rows) >= COMMON


def _are_confused(a: str, b: str) -> bool:
    """Whether two words, or what they are inflections of, are in the table."""
    one, other = sorted((a, b))
    return any(
        (one.removesuffix(end) + final, other.removesuffix(end) + final) in CONFUSED
        for end in INFLECTIONS
        if one.endswith(end) and other.endswith(end)
        for final in ("", "e")
    )


def one_slip_apart(a: str, b: str) -> bool:
    """Whether two words differ by one slip: a letter lost or added, struck beside its key, or swapped with the next.

    It is within the word: what differs in the first or the last letter is another word, or another form of one.
    """
    a, b = sorted((a, b), key=len)
    if len(b) - len(a) > 1 or a[0] != b[0]:
        return False
    at = next((place for place, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(a) < len(b):
        doubled = a[-1] == b[-1] and (b[-1] != "s" or a.endswith("ss"))  # at the end
        form = (a[-2:], b[-3:]) == ("es", "ers") or (at == len(a) and not doubled)  # writes, writers
        return a[at:] == b[at + 1 :] and not form
    if a[at : at + 2] == b[at : at + 2][::-1] and a[at + 2 :] == b[at + 2 :]:
        return True
    return at < len(a) - 1 and a[at + 1 :] == b[at + 1 :] and b[at] in NEIGHBOURS.get(a[at], ())


def _words(text: str) -> Iterator[str]:
    """The words and literals of a text, and `END` where a sentence ends."""
    for paragraph, is_code in _paragraphs(text.translate(WIDE_MARKS)):
        if is_code:
            yield from (f"{LITERAL}\n{line}" for line in paragraph)
        else:
            prose = plain_form("\n".join(BULLET.sub("", line, count=1) for line in paragraph))
            yield from _words_of_prose(DASH.sub(" ", prose))
        yield END


def _paragraphs(text: str) -> Iterator[tuple[list[str], bool]]:
    """(lines, whether they are code): in a fence, or with an indented line that is no item of a list."""
    lines: list[str] = []
    fence = ""
    for line in [*map(str.rstrip, text.split("\n")), ""]:
        mark = next((mark for mark in FENCES if line.lstrip().startswith(mark)), "")
        if (fence and mark != fence) or (line and not mark):
            lines.append(line)
            continue
        if lines:
            yield lines, bool(fence) or any(INDENT.match(line) and not BULLET.match(line) for line in lines)
        lines, fence = [], mark if mark != fence else ""


def _words_of_prose(line: str) -> Iterator[str]:
    """Of prose. White space counts beside letters with a sign in them (`print("a`), case after a sign (`= True`)."""
    end, code, operator = len(line), False, False  # of the word before
    for match in PIECE.finditer(line):
        raw, gap, end = match[0], line[end : match.start()], match.end()
        is_span = raw[0] == "`" != raw
        core = raw.strip("`") if is_span else _without_marks(raw)
        if "\n" in gap:
            yield END
            gap = " "
        if not core:
            continue
        is_word = WORD.fullmatch(core) is not None and not (is_span or UNSPACED.search(core))
        is_word &= len(core) > 1 or core in "iI"
        is_code = not is_word and len(core) > 1 and CODE.match(core) is not None
        if (is_code or code) and gap not in ("", " "):
            yield f"{LITERAL}{gap}"
        if operator and is_word and not core.islower():
            yield f"{LITERAL}{'upper' if core.isupper() else 'title'}"
        code, operator = is_code, not is_word and not re.search(r"\w", core)
        if len(raw) == 1 and ARTICLE.match(line, match.start()):
            continue
        yield re.sub("['’]", "", core).replace("‑", "-") if is_word else f"{LITERAL}{core}"
        if not raw[-1].isalnum() and raw.rstrip(QUOTES).endswith(ENDS):
            yield END


def _without_marks(raw: str) -> str:
    """A piece without the marks of sentences at its ends; empty if it is no more than that."""
    if re.search(r"\w", raw):
        core = raw.lstrip(OPENING).rstrip(CLOSING)
        return core + "".join(end for start, end in BRACKETS if core.count(start) > core.count(end))
    return raw if raw in EMPTY or set(raw) == {"*"} or not set(raw) <= set(CLOSING) else ""
