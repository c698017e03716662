"""Whether two texts that are alike by their letters say the same.

They do if one has all words of the other, in the same order, and has beyond these no word that counts. Edits keep that:
typos, words doubled, left out or added, a sentence added, other marks, case and white space. What is no plain word is a
literal, and both texts must have the same ones in the same order: numbers, single letters, every word with a sign in it
(`>=`, `-v`, `README.md`, `f(x)`), and lines of code, with their case and white space.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from stages.similarity.words_that_count import CONFUSED, FILLERS, INFLECTIONS, LIMITS, NUMBERS

LITERAL = "="  # first character of a literal
WORD = re.compile(r"[^\W\d_]+(?:['’‑-][^\W\d_]+)*")
NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*")
CODE = re.compile(r"[^\d$€£+-]*[^\W\d]")  # letters with a sign in them, and no number
ARTICLE = re.compile(r"a(?= .)|(?:^|(?<=[.!?:] ))A(?= )|A(?= [A-Z]{2})")  # no name of a thing, as in "class A and B"
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
TYPO_CHARS = 5  # of the longer of two words; shorter words that differ are other words


class Wording(NamedTuple):
    """The words of a text."""

    words: list[str]  # in lower case, and literals
    literals: int  # a number that is the same for texts with the same literals


@lru_cache(CACHED)
def wording(text: str) -> Wording:
    """The words of a text that count."""
    words: list[str] = []
    for word in _words(text):
        if word not in FILLERS and (word[0] == LITERAL or not words or words[-1] != word):
            words.append(word)
    return Wording(words, hash(tuple(word for word in words if word[0] == LITERAL)))


def figures(text: str) -> tuple[list[str], bool]:
    """The numbers of a text in order, and whether a word in it limits or denies something: for texts in other words."""
    words = wording(text).words
    return NUMBER.findall(text), any(word in LIMITS or word.endswith("n't") for word in words)


def say_the_same(texts: Sequence[tuple[Wording, Wording]]) -> bool:
    """Whether the two texts of each pair say the same. Of words that differ the same ones twice are no typo."""
    typos: set[tuple[str, str]] = set()
    for one, other in texts:
        if one.words == other.words:
            continue
        if one.literals != other.literals:
            return False
        short, long = sorted((one.words, other.words), key=len)
        found = _typos(short, long)
        if found is None and len(short) == len(long):
            found = _typos(long, short)
        if found is None:
            return False
        for typo in map(tuple, map(sorted, found)):
            if typo in typos:
                return False
            typos.add(typo)
    return True


def _typos(short: list[str], long: list[str]) -> list[tuple[str, str]] | None:
    """The pairs of words that differ, if `long` has all words of `short` in order and no limit beyond; else None."""
    found, at = [], 0
    for word in long:
        if at < len(short) and word == short[at]:
            at += 1
        elif at < len(short) and is_typo(short[at], word):
            found.append((short[at], word))
            at += 1
        elif word[0] == LITERAL or word in COUNTING or word.endswith("n't"):
            return None
    return found if at == len(short) else None


def is_typo(a: str, b: str) -> bool:
    """Whether one of two words is the other with a typo; not of short words and literals, nor if both are known."""
    short = max(len(a), len(b)) < TYPO_CHARS or LITERAL in (a[0], b[0])
    return not short and one_letter_apart(a, b) and not {a, b} <= COUNTING and not _are_confused(a, b)


def _are_confused(a: str, b: str) -> bool:
    """Whether two words, or what they are inflections of, are in the table."""
    one, other = sorted((a, b))
    return any(
        (one.removesuffix(end) + final, other.removesuffix(end) + final) in CONFUSED
        for end in INFLECTIONS
        if one.endswith(end) and other.endswith(end)
        for final in ("", "e")
    )


def one_letter_apart(a: str, b: str) -> bool:
    """Whether two words differ by one letter lost, added, other or swapped with the next, and not in the first."""
    a, b = sorted((a, b), key=len)
    if len(b) - len(a) > 1 or a[0] != b[0]:
        return False
    at = next((place for place, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(a) < len(b):
        return a[at:] == b[at + 1 :]
    return a[at + 1 :] == b[at + 1 :] or (a[at : at + 2] == b[at : at + 2][::-1] and a[at + 2 :] == b[at + 2 :])


def _words(text: str) -> Iterator[str]:
    for paragraph, is_code in _paragraphs(text.translate(WIDE_MARKS)):
        if is_code:
            yield from (f"{LITERAL}\n{line}" for line in paragraph)
        else:
            yield from _words_of_prose(DASH.sub(" ", " ".join(BULLET.sub("", line, count=1) for line in paragraph)))


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
        yield core.casefold().replace("’", "'").replace("‑", "-") if is_word else f"{LITERAL}{core}"


def _without_marks(raw: str) -> str:
    """A piece without the marks of sentences at its ends; empty if it is no more than that."""
    if re.search(r"\w", raw):
        core = raw.lstrip(OPENING).rstrip(CLOSING)
        return core + "".join(end for start, end in BRACKETS if core.count(start) > core.count(end))
    return raw if raw in EMPTY or set(raw) == {"*"} or not set(raw) <= set(CLOSING) else ""
