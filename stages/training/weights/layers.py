"""The weights of chosen names; all others stay as they are."""

import fnmatch
from pathlib import Path
from typing import Any

from modelmake.errors import UserError
from stages.params.machine import Machine
from stages.params.training import Step
from stages.training import start_model
from stages.training.given import Given
from stages.training.weights.all import prepare as prepare
from stages.training.weights.all import save as save


def check(given: Given, params: Step) -> None:
    """Checks the patterns of names.

    Raises:
        UserError: one matches no weight.
    """
    names = [name for name, _ in given.outline(params).named_parameters()]
    shown = ", ".join(dict.fromkeys([names[0], *names[-2:]]))
    if problems := [
        f"weights.parameters: {pattern!r}: matches no weight of {given.start}: want such as {shown}"
        for pattern in params.weights.parameters
        if not fnmatch.filter(names, pattern)
    ]:
        raise UserError("\n".join(problems))


def load(start: Path, params: Step, machine: Machine) -> tuple[Any, None]:
    """The model of folder `start`, in float32, of which the weights that match a pattern can be trained."""
    model = start_model.trainable(start, params, machine)
    weights = dict(model.named_parameters())  # an output matrix that is tied to the embedding has no name of its own
    chosen = {name for pattern in params.weights.parameters for name in fnmatch.filter(weights, pattern)}
    for name, weight in weights.items():
        weight.requires_grad_(name in chosen)
    trained = sum(weights[name].numel() for name in chosen)
    print(f"  trains {trained:,} of {sum(w.numel() for w in weights.values()):,} weights", flush=True)
    return model, None
