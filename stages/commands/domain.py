"""The domain of language models: model files, the distance of their weights, rows of text, gates."""

import math
from pathlib import Path
from typing import Any

from modelmake.domain import Distances, Domain
from stages.commands import model_parts
from stages.similarity import near_text


def tensor_distances(recorded: Path, rebuilt: Path) -> Distances | None:
    """{tensor: largest absolute difference} of the tensors that differ in two safetensors files.

    None where names, shapes, types, metadata or NaNs differ.
    """
    import torch
    from safetensors import safe_open

    distances: Distances = {}
    with safe_open(recorded, "pt") as a, safe_open(rebuilt, "pt") as b:
        if sorted(a.keys()) != sorted(b.keys()) or a.metadata() != b.metadata():
            return None
        for name in sorted(a.keys()):
            x, y = a.get_tensor(name), b.get_tensor(name)
            if x.shape != y.shape or x.dtype != y.dtype:
                return None
            if torch.equal(*(t.reshape(-1).view(torch.uint8) for t in (x, y))):
                continue
            x, y = x.double(), y.double()
            distance = (x - y).where(x != y, 0.0).abs().max().item()  # equal infinities differ by 0, not by NaN
            if math.isnan(distance):
                return None
            distances[name] = distance
    return distances


def training_needs(root: Path, step: str) -> tuple[list[str], list[str]]:
    """What a step of training will take; see stages/commands/training_needs.py."""
    from stages.commands import training_needs  # imports more than other commands should wait for

    return training_needs.needs(root, step)


def gates(root: Path, commit: str, path: str) -> tuple[list[str], list[str]]:
    """Why the gates of a commit's build let a model not ship, and their file; see stages/commands/shipping.py."""
    from stages.commands import shipping

    return shipping.refusals(root, commit, path)


def figures(root: Path, commit: str) -> dict[str, float]:
    """What the gates of a commit's build measured."""
    from stages.commands import shipping

    return shipping.figures(root, commit)


def bill(released: Any) -> dict[str, Any]:
    """A release as a CycloneDX document; see stages/commands/ml_bom.py."""
    from stages.commands import ml_bom

    return ml_bom.of(released)


DOMAIN = Domain(
    model_suffixes=frozenset({".safetensors", ".gguf"}),
    compare={".safetensors": tensor_distances},
    similarity=near_text,
    probe={"stages.base": {"base.max_steps": 4}, "stages.train": {"train.*.num_train_epochs": 1.0}},
    needs={"stages.train": training_needs},
    gates=gates,
    figures=figures,
    parts=model_parts.of_file,
    bill=bill,
)
