"""Augmentation: rows that a language model generates from training rows."""

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
    """A model behind an OpenAI-compatible endpoint, and the settings of requests to it."""

    base_url: str  # http(s)://host/v1, without /chat/completions
    model: str  # its name at the endpoint
    api_key_env: str | None  # environment variable that holds the key, which is never written; null: no key
    temperature: Annotated[float, Meta(ge=0)]
    max_tokens: Positive  # of an answer; longer ones are dropped
    seed: int  # of sampling, and of a method's choice of rows
    requests_per_minute: Rate | None  # null: no limit
    timeout_s: Rate  # without a byte from the endpoint
    retries: Annotated[int, Meta(ge=0)]  # of a request, if the endpoint times out, is busy or fails

    def problems(self) -> list[str]:
        problems = []
        if not URL.fullmatch(self.base_url):  # not shown: it may hold a password
            problems.append(
                "base_url: want http(s)://host[:port]/path, such as http://127.0.0.1:8080/v1, without user or query"
            )
        if self.api_key_env is not None and not VARIABLE.fullmatch(self.api_key_env):  # not shown: it may be the key
            problems.append(
                "api_key_env: want the name of an environment variable, such as OPENAI_API_KEY; never a key"
            )
        return problems


class _Method(Endpoint):
    rows: Positive | None  # seed chats, chosen from train by their hash; null: all
    parallel: Positive  # concurrent requests

    def seeds_per_row(self) -> int:
        """Number of chats that each new row is generated from."""
        return 1

    def modules(self) -> list[str]:
        return [f"stages.augmenting.methods.{type(self).__struct_config__.tag}"]


class Distill(_Method, tag_field="method", tag="distill"):
    """The same question with the teacher's answer."""


class Rewrite(_Method, tag_field="method", tag="rewrite"):
    """The last question in other words, with the same answer."""


class EvolInstruct(_Method, tag_field="method", tag="evol_instruct"):
    """A harder question made from the last one, with the teacher's answer (Xu et al. 2023, arXiv:2304.12244)."""


class SelfInstruct(_Method, tag_field="method", tag="self_instruct"):
    """A new question like some examples, with the teacher's answer (Wang et al. 2022, arXiv:2212.10560)."""

    examples: Positive  # questions shown, each of a different row

    def seeds_per_row(self) -> int:
        return self.examples


class Rank(_Method, tag_field="method", tag="rank"):
    """A pair of the best and the worst of several answers of the teacher, by a judge's scores."""

    samples: Annotated[int, Meta(ge=2)]  # answers to each question
    judge: Endpoint

    def problems(self) -> list[str]:
        problems = super().problems()
        if self.temperature == 0:
            problems.append("temperature = 0: want more: else all samples are the same")
        return [*problems, *(f"judge.{problem}" for problem in self.judge.problems())]


Method = Distill | Rewrite | EvolInstruct | SelfInstruct | Rank


class Augment(Params):
    section: ClassVar[str] = "augment"

    methods: list[Method]  # []: no augmentation

    def problems(self) -> list[str]:
        return [f"methods[{i}].{problem}" for i, method in enumerate(self.methods) for problem in method.problems()]

    def modules(self) -> list[str]:
        chosen = dict.fromkeys(name for method in self.methods for name in method.modules())
        return ["stages.augmenting.generate", *chosen] if chosen else []
