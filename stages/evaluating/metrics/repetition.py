"""Share of an answer's sequences of four words that it has had before, the mean over answers; 0 under four words."""

from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric, Statistics
from stages.evaluating.words import words
from stages.params.evaluation import Suite

METRIC = Metric("lower", 0, 1, "Welleck et al. 2020, Unlikelihood Training, arXiv:1908.04319: seq-rep-4")
WORDS = 4


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, Statistics]:
    said = words(answer.text)
    runs = [tuple(said[at : at + WORDS]) for at in range(len(said) - WORDS + 1)]
    return {"repetition": (round(1 - len(set(runs)) / len(runs), 6) if runs else 0.0, 1.0)}
