"""Ranking: a preference pair of the best and the worst of several answers of the teacher, scored by a judge."""

import re
from collections.abc import Sequence

from stages.augmenting.requests import Session
from stages.augmenting.teacher import Declined
from stages.params.augmentation import Rank
from stages.rows.row import Chat, Message, Pair

TEMPLATE = "judge.txt"
SCORE = re.compile(r"\bscore\W*(10|[0-9])\b", re.IGNORECASE)


def make(seeds: Sequence[Chat], session: Session, params: Rank) -> Pair:
    """The prompt with the best and the worst answer; equal answers are scored once."""
    turns = seeds[0].messages[:-1]
    answers = dict.fromkeys(session.answer(turns, sample) for sample in range(params.samples))
    if len(answers) == 1:
        raise Declined("same_answers", f"all {params.samples} samples are the same")
    conversation = "\n\n".join(f"{turn.role}: {turn.content}" for turn in turns)
    scores: dict[str, int] = {}
    for answer in answers:
        verdict = session.verdict(session.prompt(TEMPLATE, conversation=conversation, answer=answer))
        if (number := score(verdict)) is not None:
            scores[answer] = number
    if len(scores) < 2:
        raise Declined("no_score", f"the judge scored {len(scores)} of {len(answers)} answers")
    best, worst = max(scores, key=scores.__getitem__), min(scores, key=scores.__getitem__)
    if scores[best] == scores[worst]:
        raise Declined("no_preference", f"the judge gave {scores[best]} to all {len(scores)} answers that it scored")
    return Pair(turns, [Message("assistant", best)], [Message("assistant", worst)])


def score(text: str) -> int | None:
    """The last score, 0 to 10, in a judge's text; None if there is none."""
    scores = SCORE.findall(text)
    return int(scores[-1]) if scores else None
