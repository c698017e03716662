"""Parameters of `clean` for tests: a few kinds are redacted, optional rules are off."""

from typing import Any

import msgspec

from stages.params.cleaning import Clean, Pii, Refusals, Turns

PII = Pii(redact=["iban", "card", "email", "phone"], drop=[], report=[], countries=[], presidio=None)
PARAMS = Clean(
    max_chars=100,
    max_tokens=None,
    tokenizer="recipes/no_tokenizer.json",
    white_space="prose",
    turns=Turns(roles="alternating", repeated="once"),
    languages=None,
    labels=None,
    pii=PII,
    refusals=None,
)
REFUSALS = Refusals(
    max_chars=60,
    openings=["sorry", "I’m afraid"],
    selves=["as an AI"],
    unable=["i can't", "i cannot"],
    acts=["help", "do that"],
    phrases=["I must decline"],
    unless=["but", "you can"],
    max_dropped_fraction=1.0,
)


def params(**values: Any) -> Clean:
    """PARAMS with other values."""
    return msgspec.structs.replace(PARAMS, **values)


def pii(**values: Any) -> Clean:
    """PARAMS with other values of `pii`."""
    return params(pii=msgspec.structs.replace(PII, **values))
