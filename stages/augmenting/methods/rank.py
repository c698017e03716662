"""The best and the worst of some answers of the teacher, as a judge scores them, as a pair."""

import re
from collections.abc import Sequence

from stages.augmenting.requests import Asking
from stages.augmenting.teacher import Declined
from stages.params.augmentation import Rank
from stages.rows.row import Chat, Message, Pair

TEMPLATE = "judge.txt"
SCORE = re.compile(r"\bscore\W*(10|[0-9])\b", re.IGNORECASE)


def make(seeds: Sequence[Chat], asking: Asking, params: Rank) -> Pair:
    """The prompt with the two answers; equal ones are scored once."""
    turns = seeds[0].messages[:-1]
    answers = dict.fromkeys(asking.answer(turns, sample) for sample in range(params.samples))
    if len(answers) == 1:
        raise Declined("same_answers", f"all {params.samples} samples are the same")
    conversation = "\n\n".join(f"{turn.role}: {turn.content}" for turn in turns)
    told = {
        answer: asking.verdict(asking.filled(TEMPLATE, conversation=conversation, answer=answer)) for answer in answers
    }
    scores = {answer: found for answer, text in told.items() if (found := score(text)) is not None}
    if len(scores) < 2:
        raise Declined("no_score", f"the judge scored {len(scores)} of {len(answers)} answers")
    best, worst = max(scores, key=scores.__getitem__), min(scores, key=scores.__getitem__)
    if scores[best] == scores[worst]:
        raise Declined("no_preference", f"the judge gave {scores[best]} to all {len(scores)} answers that it scored")
    return Pair(turns, [Message("assistant", best)], [Message("assistant", worst)])


def score(text: str) -> int | None:
    """The last score that a judge names, 0 to 10; None where it names none."""
    found = SCORE.findall(text)
    return int(found[-1]) if found else None
