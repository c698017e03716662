"""What answers of a model are worth: metrics of evaluations, and the score of a reward model, as TRL calls them.

A reward is a function of a batch: `reward(prompts, completion_ids, content, …) -> [float]`, with the row's content as
JSON. TRL adds what the rewards of an answer are, each by its weight.
"""

import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from modelmake.errors import UserError
from stages.answers import reply
from stages.answers.decoder import Decoder
from stages.evaluating import metrics, scoring
from stages.params.evaluation import Suite
from stages.rows.row import Content, make_row
from stages.training import reward_model

Reward = Callable[..., list[float]]


def functions(suite: Suite, decoder: Decoder) -> dict[str, Reward]:
    """{metric: its reward} of the metrics of a suite."""
    metrics.check_machine(suite, "rewards")
    used = zip(suite.metrics, metrics.modules(suite), strict=True)
    return {name: of_metric(module, suite, decoder) for name, module in used}


def of_metric(module: ModuleType, suite: Suite, decoder: Decoder) -> Reward:
    """The mean of a metric's scores of an answer, negative where less is better.

    A score of zeros alone is the best there is: nothing was expected, and nothing was given.
    """
    metric: metrics.Metric = module.METRIC
    sign, best = (1.0, metric.most) if metric.better == "higher" else (-1.0, metric.least)

    def reward(completion_ids: list[list[int]], content: list[str], **_: Any) -> list[float]:
        rows = [msgspec.json.decode(encoded, type=Content) for encoded in content]
        expected = map(scoring.expected_reply, rows)
        return [value(tokens, wanted) for tokens, wanted in zip(completion_ids, expected, strict=True)]

    def value(tokens: list[int], expected: reply.Reply) -> float:
        scores = module.score(expected, reply.parse(decoder.text(tokens), expected.tools), suite).items()
        values = [float(metrics.value(name, counts)) if any(counts) else best for name, counts in scores]
        return sign * sum(values) / len(values)

    return reward


def of_model(folder: Path, device: Any, batch_size: int) -> Reward:
    """The score that the reward model of `folder` gives to prompt and answer.

    The reward raises:
        UserError: a score is not finite.
    """
    network = reward_model.load(folder, device)

    def reward(prompts: list[list[int]], completion_ids: list[list[int]], content: list[str], **_: Any) -> list[float]:
        rows = [[*prompt, *answer] for prompt, answer in zip(prompts, completion_ids, strict=True)]
        scores = reward_model.scores(network, rows, batch_size)
        for score, encoded in zip(scores, content, strict=True):
            if not math.isfinite(score):  # TRL would leave the answer out in silence
                row = make_row(msgspec.json.decode(encoded, type=Content))
                raise UserError(
                    f"{folder}: scores an answer to row {row.id} with {score}: want a number; train it again"
                )
        return scores

    return reward


def unusable(contents: list[Content], suite: Suite, where: str) -> dict[str, int]:
    """{metric: rows whose expected answer lacks what it compares}: all answers to them are worth the same.

    Raises:
        UserError: it is lacking in every row that expects no calls.
    """
    expected = {str(number): scoring.expected_reply(content) for number, content in enumerate(contents)}
    in_words = {number: answer for number, answer in expected.items() if not answer.calls}
    lacking = {name: len(numbers) for name, numbers in scoring.unusable(in_words, suite).items()}
    for name, n in lacking.items():
        if n == len(in_words):
            raise UserError(
                f"{where}.rewards.{name}: no expected answer has what it compares; mend the rows, or leave it out"
            )
    return lacking
