"""Table of held-out questions with every model's answer, differences from the expected answer marked."""

import re
from difflib import SequenceMatcher
from typing import NamedTuple

from stages.evaluating import scoring

TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|\w+|\s+|.', re.DOTALL)  # JSON strings are one token; white space never differs
MIN_SIMILARITY = 0.3  # share of common tokens; below it nearly all of an answer would be marked


class AnswerGroup(NamedTuple):
    """An answer, with the models and quantized files that gave it word for word."""

    given_by: tuple[str, ...]
    pieces: list[tuple[str, bool]]  # as `mark_differences` returns them
    right: bool
    told: tuple[str, ...]  # what came of it, of metrics that tell


class Question(NamedTuple):
    id: str
    prompt: str
    expected: str
    answers: list[AnswerGroup]
    wrong: bool  # the subject's answer is wrong
    differ: bool  # some answers are right and some wrong, the baseline's aside


def is_right(answer: scoring.Answer, metric: str) -> bool:
    """True if the answer has the full score of the metric."""
    numerator, denominator = answer.scores[metric]
    return numerator == denominator


def mark_differences(expected: str, answer: str) -> list[tuple[str, bool]]:
    """The answer as (text, True if it is not in the expected answer) pieces, which join to the answer.

    An answer of another kind than the expected one is a single unmarked piece.
    """
    expected_words = [t for t in TOKENS.findall(expected) if not t.isspace()]
    tokens = TOKENS.findall(answer)
    matcher = SequenceMatcher(None, expected_words, [t for t in tokens if not t.isspace()], autojunk=False)
    if not answer or matcher.ratio() < MIN_SIMILARITY:
        return [(answer, False)]
    common = {b + i for _, b, size in matcher.get_matching_blocks() for i in range(size)}
    pieces: list[tuple[str, bool]] = []
    position = 0  # among the tokens that are no white space
    for token in tokens:
        marked = not token.isspace() and position not in common
        position += not token.isspace()
        if pieces and pieces[-1][1] == marked:
            pieces[-1] = (pieces[-1][0] + token, marked)
        else:
            pieces.append((token, marked))
    return pieces


def questions(
    answers: dict[str, list[scoring.Answer]], subject: str, baseline: str, metric: str, examples: int
) -> tuple[list[Question], int]:
    """At most `examples` questions with everyone's answer, and how many the subject got wrong in all.

    Questions that the subject got wrong come first and are at most half, unless too few others are left. Ids are
    hashes of rows, so taking the first by id is as good as a random sample.

    Args:
        answers: {model or quantized file: answers sorted by id}.
        subject: the model of the card.
        metric: decides which answers are right.
    """
    by_id = {name: {answer.id: answer for answer in of_name} for name, of_name in answers.items()}
    wrong = [answer for answer in answers[subject] if not is_right(answer, metric)]
    right = [answer for answer in answers[subject] if is_right(answer, metric)]
    wrong_shown = min(len(wrong), max(examples // 2, examples - len(right)))
    shown = [*wrong[:wrong_shown], *right[: examples - wrong_shown]]
    return [question(answer, by_id, baseline, metric) for answer in shown], len(wrong)


def question(
    subject_answer: scoring.Answer, by_id: dict[str, dict[str, scoring.Answer]], baseline: str, metric: str
) -> Question:
    """The question of an answer, with everyone's answer to it.

    Args:
        by_id: {who answered: {id: answer}}.
    """
    id, expected = subject_answer.id, subject_answer.expected
    answers = {name: of_name[id] for name, of_name in by_id.items() if id in of_name}
    names: dict[tuple[str, bool, tuple[str, ...]], list[str]] = {}
    for name, answer in answers.items():
        names.setdefault((answer.answer, is_right(answer, metric), _told(answer)), []).append(name)
    groups = [
        AnswerGroup(tuple(of_group), mark_differences(expected, text), right, told)
        for (text, right, told), of_group in names.items()
    ]
    verdicts = {is_right(answer, metric) for name, answer in answers.items() if name != baseline}
    wrong = not is_right(subject_answer, metric)
    return Question(id, subject_answer.prompt, expected, groups, wrong, differ=len(verdicts) > 1)


def _told(answer: scoring.Answer) -> tuple[str, ...]:
    """`pass_at_1: failed: …` of each metric that tells, of the answer that is shown: the first sample."""
    return tuple(f"{metric}: {samples[0]}" for metric, samples in answer.told.items() if samples)
