"""Held-out questions with everyone's answer beside the expected one, and the labels that were mistaken."""

import re
from collections import Counter
from difflib import SequenceMatcher
from typing import NamedTuple

from stages.evaluating import scoring
from stages.evaluating.json_answer import fields

TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|\w+|\s+|.', re.DOTALL)  # JSON strings whole; white space never differs
ALIKE = 0.3  # below this share of common tokens an answer is another text, and marking all of it shows nothing
NO_LABEL = "(no label)"


class Given(NamedTuple):
    """One answer, and who gave it word for word."""

    by: tuple[str, ...]
    pieces: list[tuple[str, bool]]  # text, and whether it differs from the expected answer
    right: bool


class Question(NamedTuple):
    id: str
    prompt: str
    expected: str
    answers: list[Given]
    wrong: bool  # the subject's answer is
    differ: bool  # some are right and some wrong, the baseline aside


def right(answer: scoring.Answer, metric: str) -> bool:
    above, below = answer.scores[metric]
    return above == below


def pieces(expected: str, answer: str) -> list[tuple[str, bool]]:
    """The answer in parts, those marked that the expected one has not."""
    wanted = [t for t in TOKENS.findall(expected) if not t.isspace()]
    tokens = TOKENS.findall(answer)
    matcher = SequenceMatcher(None, wanted, [t for t in tokens if not t.isspace()], autojunk=False)
    if not answer or matcher.ratio() < ALIKE:
        return [(answer, False)]
    same = {b + i for _, b, size in matcher.get_matching_blocks() for i in range(size)}
    result: list[tuple[str, bool]] = []
    position = 0
    for token in tokens:
        marked = not token.isspace() and position not in same
        position += not token.isspace()
        if result and result[-1][1] == marked:
            result[-1] = (result[-1][0] + token, marked)
        else:
            result.append((token, marked))
    return result


def questions(
    answers: dict[str, list[scoring.Answer]], subject: str, baseline: str, metric: str, examples: int
) -> tuple[list[Question], int]:
    """Questions by id, up to half of them those that the subject got wrong, and these first; and how many it got
    wrong in all. Ids are hashes of the rows, so their order is as good as chance."""
    by_id = {who: {a.id: a for a in found} for who, found in answers.items()}
    wrong = [a for a in answers[subject] if not right(a, metric)]
    fine = [a for a in answers[subject] if right(a, metric)]
    bad = min(len(wrong), max(examples // 2, examples - len(fine)))
    shown = [*wrong[:bad], *fine[: examples - bad]]
    return [_question(a, by_id, subject, baseline, metric) for a in shown], len(wrong)


def _question(asked: scoring.Answer, by_id: dict[str, dict], subject: str, baseline: str, metric: str) -> Question:
    found = {who: answers[asked.id] for who, answers in by_id.items() if asked.id in answers}
    texts: dict[str, list[str]] = {}
    for who, answer in found.items():
        texts.setdefault(answer.answer, []).append(who)
    given = [Given(tuple(by), pieces(asked.expected, text), right(found[by[0]], metric)) for text, by in texts.items()]
    rights = {right(answer, metric) for who, answer in found.items() if who != baseline}
    wrong = not right(found[subject], metric)
    return Question(asked.id, asked.prompt, asked.expected, given, wrong, differ=len(rights) > 1)


def mistaken(answers: list[scoring.Answer], label: str) -> list[tuple[str, str, int, int]]:
    """(expected label, answered label, rows, rows that have the expected label), most rows first."""
    pairs = [(fields(a.expected).get(label), fields(a.answer).get(label)) for a in answers]
    known = [(str(a), NO_LABEL if p is None else str(p)) for a, p in pairs if a is not None]
    of = Counter(actual for actual, _ in known)
    wrong = Counter(pair for pair in known if pair[0] != pair[1])
    return sorted(((*pair, n, of[pair[0]]) for pair, n in wrong.items()), key=lambda row: (-row[2], row[:2]))
