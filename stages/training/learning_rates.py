"""Learning rates that are customary for a method, by what it trains; their sources are in docs/plan.md."""

from typing import NamedTuple

from stages.params.training import Step
from stages.params.weights import AdaLora, Lora

SMALL = 3_000_000_000  # parameters: models of fewer take more
LEAST = 100_000_000  # parameters: nobody publishes rates for models of fewer


class Range(NamedTuple):
    """The least and the most with which AdamW was used, on models above SMALL and below it."""

    least: float
    most: float
    most_small: float


WHOLE = {  # where the model's own weights are trained
    "sft": Range(2e-6, 5e-5, 1e-3),
    "cpt": Range(1e-5, 3e-4, 1e-3),
    "distill": Range(2e-6, 5e-5, 1e-3),
    "dpo": Range(2e-7, 5e-6, 5e-6),
    "orpo": Range(1e-6, 8e-6, 8e-6),
    "kto": Range(5e-7, 5e-6, 5e-6),
    "grpo": Range(3e-7, 1e-5, 1e-5),
    "rloo": Range(3e-7, 1e-5, 1e-5),
    "reward": Range(3e-6, 1e-4, 1e-4),
}
ADAPTER = {
    "sft": Range(1e-5, 5e-4, 1e-3),
    "cpt": Range(1e-5, 5e-4, 1e-3),
    "distill": Range(1e-5, 5e-4, 1e-3),
    "dpo": Range(5e-7, 1e-4, 1e-4),
    "orpo": Range(8e-6, 8e-5, 8e-5),
    "kto": Range(5e-7, 5e-6, 5e-6),
    "grpo": Range(1e-6, 5e-5, 5e-5),
    "rloo": Range(1e-6, 5e-5, 5e-5),
    "reward": Range(3e-5, 1e-3, 1e-3),
}


def customary(step: Step) -> Range | None:
    """The range for a step; None for an optimizer other than AdamW, whose rates are not like its."""
    ranges = ADAPTER if isinstance(step.weights, Lora | AdaLora) else WHOLE
    return ranges[type(step).__struct_config__.tag] if "adamw" in step.optim else None


def unusual(step: Step, parameters: int) -> str:
    """How the rate of a step leaves what is customary for a model of so many parameters; "" if it does not."""
    known = customary(step)
    if known is None or parameters < LEAST:
        return ""
    most = known.most_small if parameters < SMALL else known.most
    if known.least <= step.learning_rate <= most:
        return ""
    method, below = type(step).__struct_config__.tag, step.learning_rate < known.least
    trained = "an adapter" if isinstance(step.weights, Lora | AdaLora) else "the model's own weights"
    return (
        f"learning_rate {step.learning_rate:.1e} is {'less' if below else 'more'} than is customary for {method} of "
        f"{trained}: {known.least:.1e} to {most:.1e} at {parameters / 1e9:.1f} billion parameters"
    )
