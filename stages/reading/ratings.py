"""Answers judged good or bad, one at a time: what judges them, and the chats and preference pairs that they become.

With `ingest.judged: pairs` a good answer becomes a chat. A bad one becomes the rejected side of a pair with a good
answer to the same prompt in the same split; without one it is dropped. So each record is one row or one drop.
"""

import hashlib
import math
from collections.abc import Iterable
from typing import Any

import msgspec

from stages.reading.unread import empty
from stages.rows.row import Chat, Judged, Message, Pair

LABEL = "label"
FIELDS = ("rating", LABEL, "kto_tag")
UP = ("1", "true", "yes", "up", "thumb_up", "thumbs_up", "like", "good", "positive", "👍")
DOWN = ("-1", "0", "false", "no", "down", "thumb_down", "thumbs_down", "dislike", "bad", "negative", "👎")
CLASSES = ("1", "-1", "0", "yes", "no", "good", "bad", "positive", "negative")  # of texts too, if a label says so
ON_A_SCALE = "write true or false in its place, such as true from 4 of 5 on"
RATINGS = dict.fromkeys(UP, True) | dict.fromkeys(DOWN, False)
BAD_ALONE = ("bad_alone", "judged bad, and no good answer to the same prompt in its split: no pair can be made")
EXPECTED_REASONS = (BAD_ALONE[0], "unrated")  # no fault of the data: most of a log is unrated


def rating(record: dict[str, Any]) -> bool | None:
    """Whether the fields of a record find its answer good; None if none says.

    Raises:
        ValueError: a field says something else, or two contradict each other.
    """
    judgements = {name: _is_good(name, record[name]) for name in FIELDS if not empty(record.get(name))}
    if len(set(judgements.values())) > 1:
        raise ValueError(f"{' and '.join(f'{name} {record[name]!r}' for name in judgements)} contradict each other")
    return next(iter(judgements.values()), None)


def scale(values: Iterable[Any]) -> str:
    """The numbers that rate answers, as `1 to 5`, if some are on a scale: neither a yes nor a no; else ""."""
    numbers = [_number(value) for value in values]
    known = [number for number in numbers if number is not None]
    return "" if set(known) <= {-1, 0, 1} else f"{min(known):g} to {max(known):g}"


def is_class(label: Any) -> bool:
    """True for a label that may say which class a text has, or surely does: for any that does more than judge."""
    word = _word(label)
    return word not in RATINGS or word in CLASSES


def is_answer(label: Any, answer: list[Message]) -> bool:
    """True if a label says what an answer says."""
    return _word(label) == _word("".join(turn.content for turn in answer))


def _word(value: Any) -> str:
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return str(whole).strip().lower().replace(" ", "_")


def _number(value: Any) -> float | None:
    """A rating as a number; None if it is none."""
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _is_good(name: str, value: Any) -> bool:
    word = _word(value)
    if word not in RATINGS and scale([value]):
        raise ValueError(
            f"{name} {value!r} is on a scale: want good or bad: {ON_A_SCALE}, or ignore it in ingest.files"
        )
    if word not in RATINGS:
        raise ValueError(
            f"{name} {value!r}: want one of {', '.join(RATINGS)}, or null; if it judges no answer, ignore it in "
            "ingest.files"
        )
    return RATINGS[word]


def prompt_key(answer: Judged, split: str) -> str:
    """24 hex digits that all answers to one prompt, with the same tools, in one split share."""
    return hashlib.sha256(msgspec.json.encode((answer.prompt, split, *answer.tools))).hexdigest()[:24]


def as_chat(answer: Judged) -> Chat:
    """Prompt and answer as one conversation."""
    return Chat([*answer.prompt, *answer.answer], answer.tools)


def as_pair(bad: Judged, good: list[Judged]) -> Pair | None:
    """A bad answer paired with one of the good ones to its prompt; None if none differs from it.

    The choice is by hash, so it does not depend on the order of the good answers.
    """
    candidates = {msgspec.json.encode(g.answer): g for g in good if g.answer != bad.answer}
    if not candidates:
        return None
    number = int(hashlib.sha256(msgspec.json.encode(bad.answer)).hexdigest()[:16], 16)
    chosen = candidates[sorted(candidates)[number % len(candidates)]]
    return Pair(bad.prompt, chosen.answer, bad.answer, bad.tools)
