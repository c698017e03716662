"""Every weight."""

from pathlib import Path
from typing import Any

from stages.params.machine import Machine
from stages.params.training import Step
from stages.training import start_model


def load(start: Path, params: Step, machine: Machine) -> tuple[Any, None]:
    """The model of folder `start`, in float32."""
    return start_model.trainable(start, params, machine), None


def prepare(trainer: Any, params: Step) -> None:
    """Nothing."""


def save(trainer: Any, folder: Path) -> None:
    """A complete model."""
    trainer.model.save_pretrained(folder)
