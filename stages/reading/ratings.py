"""Answers rated good or bad, one at a time, as chats and preference pairs.

A good answer becomes a chat. A bad one becomes the rejected side of a pair with a good answer to the same prompt in the
same split; without one it is dropped. So each record is one row or one drop.
"""

import hashlib

import msgspec

from stages.rows.row import Chat, Message, Pair

BAD_ALONE = ("bad_alone", "judged bad, and no good answer to the same prompt in its split: no pair can be made")
EXPECTED_REASONS = (BAD_ALONE[0], "unrated")  # no fault of the data: most of a log is unrated


class RatedAnswer(msgspec.Struct, frozen=True):
    prompt: list[Message]
    completion: list[Message]
    good: bool


def prompt_key(answer: RatedAnswer, split: str) -> str:
    """24 hex digits that all answers to one prompt in one split share."""
    return hashlib.sha256(msgspec.json.encode((answer.prompt, split))).hexdigest()[:24]


def as_chat(answer: RatedAnswer) -> Chat:
    """Prompt and answer as one conversation."""
    return Chat([*answer.prompt, *answer.completion])


def as_pair(bad: RatedAnswer, good: list[RatedAnswer]) -> Pair | None:
    """A bad answer paired with one of the good ones to its prompt; None if none differs from it.

    The choice is by hash, so it does not depend on the order of the good answers.
    """
    candidates = {msgspec.json.encode(g.completion): g for g in good if g.completion != bad.completion}
    if not candidates:
        return None
    number = int(hashlib.sha256(msgspec.json.encode(bad.completion)).hexdigest()[:16], 16)
    chosen = candidates[sorted(candidates)[number % len(candidates)]]
    return Pair(bad.prompt, chosen.completion, bad.completion)
