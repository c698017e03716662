"""Answers that refuse as a whole: a model trained on them learns to refuse.

An answer does if it is short prose that begins as refusals do, and does not go on to say something else. `I can't help
with that.` refuses; `I can't find a mocha, would you like something else?` serves a customer.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from modelmake.errors import UserError
from stages.params.cleaning import Refusals
from stages.rows import parts
from stages.rows.row import Content, Judged

EXCERPT_CHARS = 100  # of a refusal in the table of dropped rows
SHOWN = 3  # refusals in the message that there are too many
SAYS_MORE = re.compile(r"\d|\?|```|^\s*[-*{\[]", re.MULTILINE)  # a figure, a question, code, a list
CLOSING = re.compile(r"(?:is there (?:any|some)thing|can i help you with (?:any|some)thing|how) else\b[^?.!]*\?")


def answer_to_learn(content: Content) -> str | None:
    """The answer that the loss makes more likely, if there is one in words: no call, and not judged bad."""
    answer = parts.split(content).answer[-1:]
    if not answer or not answer[0].train or answer[0].tool_calls or (isinstance(content, Judged) and not content.good):
        return None
    return answer[0].content


def find_refusal(content: Content, params: Refusals) -> str | None:
    """The beginning of the answer to learn, if it refuses as a whole; None if it does not, or nobody learns it."""
    answer = answer_to_learn(content)
    return " ".join(answer.split())[:EXCERPT_CHARS] if answer is not None and refuses(answer, params) else None


def check_fraction(refusals: Sequence[str], answers: int, params: Refusals) -> None:
    """Checks that no more rows are dropped than was declared.

    Args:
        refusals: the beginnings of those that are dropped.
        answers: how many answers to learn there were.

    Raises:
        UserError: more are; it shows the commonest.
    """
    if len(refusals) <= params.max_dropped_fraction * answers:
        return
    commonest = sorted(Counter(refusals).items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
    share = 100 * len(refusals) / answers
    shown = "; ".join(f'{n} rows "{refusal}"' for refusal, n in commonest)
    raise UserError(
        f"clean: {len(refusals)} of {answers} answers to learn ({share:.1f} %) are dropped as refusals: want at most "
        f"clean.refusals.max_dropped_fraction = {params.max_dropped_fraction}; the commonest: {shown}; if the model "
        "should answer so, write refusals: null, or put words of such answers into unless; if not, raise "
        "max_dropped_fraction"
    )


def refuses(answer: str, params: Refusals) -> bool:
    """True if an answer refuses as a whole. Case, and the kind of apostrophes, do not count."""
    if len(answer) > params.max_chars:
        return False
    text = answer.casefold().replace("’", "'").strip()
    lists = params.openings, params.selves, params.unable, params.acts, params.phrases, params.unless
    beginning, unless = _patterns(*map(tuple, lists))
    match = beginning.match(text)
    if not match:
        return False
    rest = CLOSING.sub("", text[match.end() :])
    return not SAYS_MORE.search(rest) and not unless.search(rest)


@lru_cache(maxsize=16)
def _patterns(*lists: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """(how a refusal begins, words after which it says something else)."""
    openings, selves, unable, acts, phrases, unless = map(_any_of, lists)
    gap = r"[,;:.!]?\s+(?:(?:and|but)\s+)?"
    beginning = (
        rf"(?:(?:{openings}|{selves}){gap})*"
        rf"(?:{unable}(?:\s+\w+ly)?\s+{acts}|{phrases}|{unable}(?=[.!]*\Z)|{selves}{gap}{unable})"
    )
    return re.compile(beginning), re.compile(unless)


def _any_of(phrases: tuple[str, ...]) -> str:
    """A pattern for any of the phrases as whole words; of none it matches nothing."""
    longest_first = sorted((phrase.casefold().replace("’", "'") for phrase in phrases), key=len, reverse=True)
    return rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b" if phrases else r"(?!)"
