"""GRPO through TRL (Shao et al. 2024, arXiv:2402.03300): answers of the model, each compared with its group."""

from typing import Any

from stages.params.training import Grpo
from stages.training import own_answers
from stages.training.own_answers import check as check
from stages.training.own_answers import example as example
from stages.training.row_renderer import Loss


def loss(params: Grpo) -> Loss:
    """The model's own answers."""
    return "prompt"


def trainer(params: Grpo, arguments: dict[str, Any], **parts: Any) -> Any:
    """The TRL trainer; `parts` are model, datasets, processing_class, peft_config and second_model."""
    from trl import GRPOConfig, GRPOTrainer

    config = GRPOConfig(
        **arguments,
        **own_answers.settings(params),
        loss_type=params.loss_type,
        scale_rewards=params.scale_rewards,
    )
    return own_answers.trainer(GRPOTrainer, config, params, **parts)
