"""An answer as a runtime gave it."""

from typing import NamedTuple


class Generated(NamedTuple):
    text: str
    cut: bool  # at `max_new_tokens`, before the model had ended it
    prompt_tokens: int | None  # None: an endpoint did not say
    answer_tokens: int | None  # with the one that ends it
    declined: str = ""  # why an endpoint did not answer
