"""Questions with expected answers, and what a model said to them."""

from stages.evaluating import scoring
from stages.params.evaluation import Suite
from stages.rows.row import Chat, Message, make_row


def answered(expected: list[str], given: list[str], suite: Suite) -> list[scoring.Answer]:
    """Scored answers to questions 1, 2, …"""
    rows = [
        make_row(Chat([Message("user", f"question {number}"), Message("assistant", text)]))
        for number, text in enumerate(expected, 1)
    ]
    return scoring.score(rows, given, suite)
