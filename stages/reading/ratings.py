"""Answers that were judged one by one, good or bad, to rows.

A good answer is a chat. A bad one is the rejected side of a pair where some record of the same split has a good answer
to the same prompt; where none has, it says nothing that a row could: it is dropped with that reason. So each record is
one row or one drop, and what is kept while reading is spilled, a prompt's records together.
"""

import hashlib

import msgspec

from stages.rows.row import Chat, Message, Pair

ALONE = ("bad_alone", "judged bad, and no good answer to the same prompt in its split: no pair can be made")
FINE = (ALONE[0], "unrated")  # reasons that are no fault of the data: most of a log is unrated


class Unused(Exception):
    """Why a record that is as it should be gives no row: (reason, detail)."""


class Judged(msgspec.Struct, frozen=True):
    prompt: list[Message]
    completion: list[Message]
    good: bool


def key(judged: Judged, split: str) -> str:
    """24 hex digits that all answers to one prompt in one split share."""
    return hashlib.sha256(msgspec.json.encode((judged.prompt, split))).hexdigest()[:24]


def chat(judged: Judged) -> Chat:
    """The conversation as it was judged."""
    return Chat([*judged.prompt, *judged.completion])


def pair(bad: Judged, good: list[Judged]) -> Pair | None:
    """The bad answer beside one of the good ones, the same whatever their order; None where there is no other."""
    others = {msgspec.json.encode(g.completion): g for g in good if g.completion != bad.completion}
    if not others:
        return None
    number = int(hashlib.sha256(msgspec.json.encode(bad.completion)).hexdigest()[:16], 16)
    chosen = others[sorted(others)[number % len(others)]]
    return Pair(bad.prompt, chosen.completion, bad.completion)
