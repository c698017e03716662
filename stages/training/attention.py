"""How a model computes attention: by `attn_implementation` of a step."""

from typing import Any

from modelmake.errors import UserError


def choose(model: Any, implementation: str | None) -> None:
    """Makes a model compute attention so; None leaves what transformers took for it.

    Raises:
        UserError: the model cannot: attention with capped scores, as Gemma 2's, cannot be computed by sdpa.
    """
    if implementation is None:
        return
    try:
        model.set_attn_implementation(implementation)
    except ValueError as error:
        raise UserError(
            f"attn_implementation = {implementation!r}: {type(model).__name__} does not support it: want null"
        ) from error
