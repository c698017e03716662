"""Blind review: the answers of two models side by side, in an order that tells nothing, and what people chose.

A pair is known by the hash of its question and of both answers from left to right: a choice counts while they are as
they were when it was made. Which model is on the left follows from the seed and that pair, and is not in the page.

Sources: Wilson 1927 (the intervals), Cohen 1960 (kappa of two reviewers).
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from stages.evaluating.scoring import Answer
from stages.reporting import annotations
from stages.reporting.annotations import Annotation
from stages.rows.row import content_id

CHOICES = ("left", "right", "equal")
CONFIDENCE = 0.95


class Pair(NamedTuple):
    """Two different answers to a question."""

    id: str
    question: str
    left: str
    right: str
    first: str  # left or right: where the answer of the first model is


def pairs(first: Sequence[Answer], second: Sequence[Answer], seed: int) -> list[Pair]:
    """The pairs of different answers to the same rows, in the order in which they are shown.

    One more row adds a pair and changes none. The models' order changes only what `first` says.
    """
    found = {}
    for a, b in zip(first, second, strict=True):
        if a.answer == b.answer:
            continue
        answers = sorted([a.answer, b.answer])
        if _hash(seed, content_id(msgspec.json.encode([a.prompt, *answers])))[-1] % 2:
            answers.reverse()
        id = content_id(msgspec.json.encode([a.prompt, *answers]))  # of another seed's other sides it is another
        found[id] = Pair(id, a.prompt, *answers, "left" if answers[0] == a.answer else "right")
    return sorted(found.values(), key=lambda pair: _hash(seed, pair.id))


def _hash(seed: int, id: str) -> bytes:
    return hashlib.sha256(f"{seed}:{id}".encode()).digest()


def majority(choices: Sequence[str]) -> str:
    """The most common of several people's choices; equal if there are several."""
    (choice, most), *others = Counter(choices).most_common()
    return "equal" if any(n == most for _, n in others) else choice


def results(shown: Sequence[Pair], by_reviewer: dict[str, dict[str, Annotation]]) -> dict[str, Any]:
    """How often the first model was chosen, and how far reviewers agree.

    {pairs, won, lost, equal, rate, low, high, left, of, left_low, left_high, reviewers: {name: pairs}, agreement,
    kappa, gone}. The most common choice of its reviewers decides on a pair; of several it is equal, which counts half.
    `left` of `of` choices were the left one. `gone` is the number of pairs that were judged and are not among `shown`.

    Args:
        by_reviewer: as `annotations.read` returns them.
    """
    places = {pair.id: pair.first for pair in shown}
    choices = {name: {id: a.verdict for id, a in of_name.items() if id in places}
               for name, of_name in by_reviewer.items()}  # fmt: skip
    votes: dict[str, list[str]] = {}
    for of_name in choices.values():
        for id, choice in of_name.items():
            votes.setdefault(id, []).append(choice)
    decided = {id: majority(of_id) for id, of_id in votes.items()}
    won = sum(choice == places[id] for id, choice in decided.items())
    lost = sum(choice not in (places[id], "equal") for id, choice in decided.items())
    made = [choice for of_name in choices.values() for choice in of_name.values() if choice != "equal"]
    agreed = annotations.agreements(choices)
    return {
        "pairs": len(votes), "won": won, "lost": lost, "equal": len(votes) - won - lost,
        **_share(won + (len(votes) - won - lost) / 2, len(votes), "rate", "low", "high"),
        "left": made.count("left"), "of": len(made),
        **_share(made.count("left"), len(made), "left_share", "left_low", "left_high"),
        "reviewers": {name: len(of_name) for name, of_name in choices.items()},
        "agreement": agreed["pairs"], "kappa": agreed["kappa"],
        "gone": len({id for of_name in by_reviewer.values() for id in of_name} - places.keys()),
    }  # fmt: skip


def _share(part: float, total: int, *names: str) -> dict[str, float | None]:
    """{share, low, high} by these names; None of nothing."""
    if not total:
        return dict.fromkeys(names)
    values = (part / total, *annotations.wilson_interval(part, total, CONFIDENCE))
    return {name: round(value, 4) for name, value in zip(names, values, strict=True)}
