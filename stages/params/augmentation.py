"""Augmentation: rows that a language model makes of training rows."""

import re
from typing import Annotated, ClassVar

from msgspec import Meta

from modelmake.params import Params
from stages.params.numbers import Positive, Rate

URL = re.compile(
    r"https?://([\w.-]+|\[[0-9A-Fa-f:]+\])(:\d{1,4}|:[1-5]\d{4}|:6[0-4]\d{3}|:65[0-4]\d\d|:655[0-3]\d)?(/[\w./~%-]*)?"
)
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


class Endpoint(Params):
    """A model behind an OpenAI-compatible endpoint, and how it is asked."""

    base_url: str  # http(s)://host/v1: what stands before /chat/completions
    model: str  # as the endpoint calls it
    api_key_env: str | None  # the environment's variable with the key, which goes into no file; null: it wants none
    temperature: Annotated[float, Meta(ge=0)]
    max_tokens: Positive  # of an answer; a longer one is dropped
    seed: int  # of what is sampled; of a method also of the choice of rows
    requests_per_minute: Rate | None  # null: no limit
    timeout_s: Rate  # that the endpoint may be silent
    retries: Annotated[int, Meta(ge=0)]  # of a request, where it is silent, busy or broken

    def problems(self) -> list[str]:
        found = []
        if not URL.fullmatch(self.base_url):  # not shown: it may have a password
            found.append("base_url: want http(s)://host[:port]/path, such as http://127.0.0.1:8080/v1, no more in it")
        if self.api_key_env is not None and not VARIABLE.fullmatch(self.api_key_env):  # not shown: it may be the key
            found.append("api_key_env: want the name of an environment variable, such as OPENAI_API_KEY; never a key")
        return found


class _Method(Endpoint):
    rows: Positive | None  # chats of train to start from, chosen by their hash; null: all
    parallel: Positive  # requests under way at once

    def taken(self) -> int:
        """How many chats one new row is made of."""
        return 1

    def modules(self) -> list[str]:
        return [f"stages.augmenting.methods.{type(self).__struct_config__.tag}"]


class Distill(_Method, tag_field="method", tag="distill"):
    """The teacher's own answer in the place of the row's."""


class Rewrite(_Method, tag_field="method", tag="rewrite"):
    """The last question in other words, with the row's answer."""


class EvolInstruct(_Method, tag_field="method", tag="evol_instruct"):
    """A harder question made of the last one, and the teacher's answer (Xu et al. 2023, arXiv:2304.12244)."""


class SelfInstruct(_Method, tag_field="method", tag="self_instruct"):
    """A new question like some that are shown, and the teacher's answer (Wang et al. 2022, arXiv:2212.10560)."""

    examples: Positive  # questions that are shown, each of another row

    def taken(self) -> int:
        return self.examples


class Rank(_Method, tag_field="method", tag="rank"):
    """The best and the worst of some answers of the teacher, as a judge scores them, as a pair."""

    samples: Annotated[int, Meta(ge=2)]  # answers to each question
    judge: Endpoint

    def problems(self) -> list[str]:
        found = super().problems()
        if self.temperature == 0:
            found.append("temperature = 0: want more: else all samples are the same")
        return [*found, *(f"judge.{problem}" for problem in self.judge.problems())]


Method = Distill | Rewrite | EvolInstruct | SelfInstruct | Rank


class Augment(Params):
    section: ClassVar[str] = "augment"

    methods: list[Method]  # []: none, and nothing is asked

    def problems(self) -> list[str]:
        return [f"methods[{i}].{problem}" for i, method in enumerate(self.methods) for problem in method.problems()]

    def modules(self) -> list[str]:
        chosen = dict.fromkeys(name for method in self.methods for name in method.modules())
        return ["stages.augmenting.generate", *chosen] if chosen else []
