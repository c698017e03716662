"""DPO through TRL: pairs of a preferred and a rejected answer to the same prompt."""

from typing import Any

from stages.params.training import Dpo
from stages.rows.row import Content
from stages.training import consumed_rows
from stages.training.row_renderer import Loss
from stages.training.tokens import Tokens


def loss(params: Dpo) -> Loss:
    """The answers."""
    return "answer"


def example(content: Content, sides: list[Tokens]) -> dict[str, Any]:
    """The columns that DPOTrainer makes of a row itself."""
    chosen, rejected = sides
    return {
        "prompt_ids": chosen.ids[: chosen.answer],
        "chosen_ids": chosen.ids[chosen.answer :],
        "rejected_ids": rejected.ids[rejected.answer :],
    }


def trainer(params: Dpo, arguments: dict[str, Any], **parts: Any) -> Any:
    """The TRL trainer; `parts` are model, datasets, processing_class and peft_config."""
    from trl import DPOConfig, DPOTrainer

    class TokensTrainer(DPOTrainer):
        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset  # it has the columns that DPOTrainer would tokenize, and drop rows from

    config = DPOConfig(
        **arguments,
        max_length=params.max_length,
        beta=params.beta,
        loss_type=params.loss_type,
        loss_weights=params.loss_weights,
    )
    return consumed_rows.recording_trainer(TokensTrainer)(args=config, **parts)
