"""The weights of chosen names; all others stay as they are."""

import fnmatch
from pathlib import Path
from typing import Any

from modelmake.errors import UserError
from stages.params.machine import Machine
from stages.params.training import Step
from stages.training import start_model
from stages.training.weights.all import prepare as prepare
from stages.training.weights.all import save as save


def load(start: Path, params: Step, machine: Machine) -> tuple[Any, None]:
    """The model of folder `start`, in float32, of which the weights that match a pattern can be trained.

    Raises:
        UserError: a pattern matches no weight.
    """
    model = start_model.trainable(start, params, machine)
    weights = dict(model.named_parameters())  # an output matrix that is tied to the embedding has no name of its own
    chosen: set[str] = set()
    for pattern in params.weights.parameters:
        matched = fnmatch.filter(weights, pattern)
        if not matched:
            examples = ", ".join(dict.fromkeys([next(iter(weights)), *list(weights)[-2:]]))
            raise UserError(f"weights.parameters: {pattern!r}: matches no weight of {start}: want such as {examples}")
        chosen.update(matched)
    for name, weight in weights.items():
        weight.requires_grad_(name in chosen)
    trained = sum(weights[name].numel() for name in chosen)
    print(f"  trains {trained:,} of {sum(w.numel() for w in weights.values()):,} weights", flush=True)
    return model, None
