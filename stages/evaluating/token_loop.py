"""Answers token by token, a batch of prompts at a time.

It chooses the tokens that transformers' `generate` chooses, and computes less: what all prompts begin with once, equal
prompts once, a row that has ended no more, and no earlier token is copied.
"""

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from modelmake.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import DynamicCache

SHARED = 16  # tokens at least that prompts begin with, to compute them apart

Choose = Callable[["Tensor", list[int], int], "Tensor"]  # logits (B, V), rows of the batch, step -> tokens (B,)


class Beginning(NamedTuple):
    """The tokens that all prompts begin with."""

    tokens: int
    cache: "DynamicCache | None"


def beginning(network: Any, prompts: list[list[int]]) -> Beginning:
    """What all prompts begin with, computed, if it is worth it and every layer attends to all tokens."""
    import torch

    from stages.evaluating import roomy_cache

    cache, n = roomy_cache.make(network.config), _shared(prompts)
    if n < SHARED or not all(isinstance(layer, roomy_cache.RoomyLayer) for layer in cache.layers):
        return Beginning(0, None)
    ids = torch.tensor([prompts[0][:n]], device=network.device)
    _forward(network, cache, ids, {})
    return Beginning(n, cache)


def _shared(prompts: list[list[int]]) -> int:
    """How many tokens all prompts begin with; each has at least one more."""
    first, last = min(prompts, default=[]), max(prompts, default=[])
    most = min(map(len, prompts), default=1) - 1
    return next((at for at in range(most) if first[at] != last[at]), most)


def answer(
    network: Any, prompts: list[list[int]], begun: Beginning, stops: set[int], max_new_tokens: int, choose: Choose
) -> list[list[int]]:
    """The tokens after each prompt, up to the first of `stops`, which is the last, or `max_new_tokens`.

    Raises:
        UserError: the model keeps no keys and values as transformers' DynamicCache does.
    """
    import torch

    from stages.evaluating import roomy_cache

    distinct = list(dict.fromkeys(map(tuple, prompts)))
    rests = [prompt[begun.tokens :] for prompt in distinct]
    width = max(map(len, rests))
    ids = torch.zeros((len(rests), width), dtype=torch.long)  # (B, T), padded on the left; any token will do
    mask = torch.ones((len(rests), begun.tokens + width + max_new_tokens), dtype=torch.long)  # (B, all tokens to come)
    for row, rest in enumerate(rests):
        ids[row, width - len(rest) :] = torch.tensor(rest)
        mask[row, begun.tokens : begun.tokens + width - len(rest)] = 0
    padded = len(set(map(len, rests))) > 1
    positions = (mask.cumsum(1) - 1).clamp(min=0).to(network.device)
    ids, mask = ids.to(network.device), mask.to(network.device)
    cache, seen = roomy_cache.make(network.config, begun.cache), begun.tokens + width

    def forward(ids: "Tensor") -> "Tensor":
        """(B, V): logits of the token after `ids`."""
        places = {"attention_mask": mask[:, :seen], "position_ids": positions[:, seen - ids.shape[1] : seen]}
        return _forward(network, cache, ids, places if padded else {})

    logits = forward(ids)
    if len(distinct) < len(prompts):
        of_prompt = torch.tensor([distinct.index(tuple(prompt)) for prompt in prompts], device=network.device)
        cache.reorder_cache(of_prompt)
        logits, mask, positions = logits[of_prompt], mask[of_prompt], positions[of_prompt]
    answers: list[list[int]] = [[] for _ in prompts]
    rows = list(range(len(prompts)))  # that go on
    for step in range(max_new_tokens):
        chosen = choose(logits, rows, step)
        tokens = chosen.tolist()
        for row, token in zip(rows, tokens, strict=True):
            answers[row].append(token)
        kept = roomy_cache.survivors([token not in stops for token in tokens])
        if not kept or step + 1 == max_new_tokens:
            break
        if len(kept) < len(rows):
            places = torch.tensor(kept, device=network.device)
            cache.reorder_cache(places)
            rows, chosen = [rows[place] for place in kept], chosen[places]
            mask, positions = mask[places], positions[places]
        seen += 1
        logits = forward(chosen[:, None])
    return answers


def _forward(network: Any, cache: "DynamicCache", ids: "Tensor", places: dict[str, "Tensor"]) -> "Tensor":
    accepted = _accepted(type(network))
    given = {name: value for name, value in {**places, "logits_to_keep": 1}.items() if name in accepted}
    output = network(input_ids=ids, past_key_values=cache, use_cache=True, **given)
    if getattr(output, "past_key_values", None) is not cache:
        raise UserError(
            f"{type(network).__name__}: keeps no keys and values in transformers' DynamicCache: want a model that does"
        )
    return output.logits[:, -1]


@functools.cache
def _accepted(model_class: type) -> frozenset[str]:
    """Arguments of the model's forward."""
    return frozenset(inspect.signature(model_class.forward).parameters)
