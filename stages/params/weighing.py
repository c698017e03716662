"""Weighing: fine-tunes held against what could be had without them."""

from typing import Annotated, ClassVar

from msgspec import Meta

from modelmake.params import Params
from stages.params.evaluation import Gate
from stages.params.numbers import Amount


class Price(Params):
    """What a model costs, in the currency of the weighing."""

    once: Amount  # training, examples, prompts: whatever was paid before the first request
    prompt: Amount  # of a million tokens that it reads
    answer: Amount  # of a million tokens that it writes


class Weighing(Params):
    """A fine-tune held against what could be had without it, on the rows of compare.suite."""

    section: ClassVar[str] = "weigh.{weighed}"

    metric: str  # of compare.suite
    margin: Amount  # who is at most so much worse would have done
    currency: Annotated[str, Meta(min_length=1)]
    prices: dict[str, Price]  # of the fine-tune, and of each model and alternative that it is held against

    def gates(self, weighed: str) -> dict[str, Gate]:
        """{model or alternative: the gate by which it would have done}."""
        return {
            name: Gate(model=name, metric=self.metric, against=weighed, bound=-self.margin, where=None)
            for name in self.prices
            if name != weighed
        }
