"""Held-out questions that one build answers rightly and another does not, side by side."""

from typing import NamedTuple

from stages.evaluating.scoring import Answer
from stages.reporting import answers_table
from stages.reporting.answers_table import Question, is_right


class Count(NamedTuple):
    """Of a build, against the first one, on the questions that all have."""

    lost: int  # the first is right, this is not
    won: int
    reworded: int  # both are right or both are wrong, in other words


class Changed(NamedTuple):
    """A question, and the builds that are right where the first is wrong, or the other way."""

    question: Question
    lost: list[str]
    won: list[str]


def changed(answers: dict[str, list[Answer]], metric: str, limit: int) -> tuple[list[Changed], dict[str, Count]]:
    """At most `limit` questions of which builds are right and wrong, and how many there are of each build.

    Those that a build lost come first, and are half of them at most unless too few others are left. Ids are hashes of
    rows, so the first by id are as good as a random sample.

    Args:
        answers: {build: its answers}, the build first that others are held against.
        metric: decides which answers are right.
    """
    by_id = {name: {answer.id: answer for answer in of_build} for name, of_build in answers.items()}
    first, *others = by_id
    ids = sorted(set.intersection(*({*of_build} for of_build in by_id.values())))
    right = {name: {id for id in ids if is_right(of_build[id], metric)} for name, of_build in by_id.items()}
    counts = {}
    for name in others:
        alike = [id for id in ids if (id in right[first]) == (id in right[name])]
        reworded = sum(by_id[first][id].answer != by_id[name][id].answer for id in alike)
        counts[name] = Count(len(right[first] - right[name]), len(right[name] - right[first]), reworded)
    lost = [id for id in ids if id in right[first] and not all(id in right[name] for name in others)]
    won = [id for id in ids if id not in right[first] and any(id in right[name] for name in others)]
    shown = lost[: max(limit // 2, limit - len(won))]
    shown += won[: limit - len(shown)]
    return [
        Changed(
            answers_table.question(by_id[first][id], by_id, "", metric),
            [name for name in others if id in right[first] - right[name]],
            [name for name in others if id in right[name] - right[first]],
        )
        for id in shown
    ], counts
