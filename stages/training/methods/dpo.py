"""DPO through TRL: pairs of a preferred and a rejected answer to the same prompt."""

from typing import Any

import msgspec

from stages.params.training import Dpo
from stages.rows.row import Pair
from stages.training import consumed_rows


def example(content: Pair) -> dict[str, Any]:
    """The row in TRL's preference format: {prompt, chosen, rejected}, lists of messages; DPOTrainer tokenizes it."""
    return {name: msgspec.to_builtins(getattr(content, name)) for name in ("prompt", "chosen", "rejected")}


def count_tokens(content: Pair, tokenizer: Any) -> int:
    """Tokens of the prompt with the longer of the two answers, under the model's chat template."""
    messages = example(content)
    return max(
        len(tokenizer.apply_chat_template(messages["prompt"] + messages[side])["input_ids"])
        for side in ("chosen", "rejected")
    )


def trainer(params: Dpo, arguments: dict[str, Any], **parts: Any) -> Any:
    """The TRL trainer; `parts` are model, datasets, processing_class and peft_config."""
    from trl import DPOConfig, DPOTrainer

    config = DPOConfig(
        **arguments,
        max_length=params.max_length,
        beta=params.beta,
        loss_type=params.loss_type,
        loss_weights=params.loss_weights,
    )
    return consumed_rows.recording_trainer(DPOTrainer)(args=config, **parts)
