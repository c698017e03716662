"""RLOO through TRL (Ahmadian et al. 2024, arXiv:2402.14740): an answer's reward against the mean of the others'."""

from typing import Any

from stages.params.training import Rloo
from stages.training import own_answers
from stages.training.own_answers import check as check
from stages.training.own_answers import example as example
from stages.training.row_renderer import Loss


def loss(params: Rloo) -> Loss:
    """The model's own answers."""
    return "prompt"


def trainer(params: Rloo, arguments: dict[str, Any], **parts: Any) -> Any:
    """The TRL trainer; `parts` are model, datasets, processing_class, peft_config and second_model."""
    from trl import RLOOConfig, RLOOTrainer

    config = RLOOConfig(
        **arguments,
        **own_answers.settings(params),
        normalize_advantages=params.normalize_advantages,
    )
    return own_answers.trainer(RLOOTrainer, config, params, **parts)
