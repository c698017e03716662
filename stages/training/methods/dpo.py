"""DPO through TRL: pairs of a preferred and a rejected answer to the same prompt."""

from typing import Any

import msgspec

from stages.params.training import Dpo
from stages.rows.row import Pair
from stages.training import consumed_rows


def example(content: Pair) -> dict[str, Any]:
    """What TRL reads of a row."""
    return {name: msgspec.to_builtins(getattr(content, name)) for name in ("prompt", "chosen", "rejected")}


def tokens(content: Pair, tokenizer: Any) -> int:
    """Length of the longer side under the model's own template."""
    sides = example(content)
    return max(
        len(tokenizer.apply_chat_template(sides["prompt"] + sides[side])["input_ids"])
        for side in ("chosen", "rejected")
    )


def trainer(params: Dpo, arguments: dict[str, Any], **parts: Any) -> Any:
    """The TRL trainer; `parts` are model, datasets, processing_class, peft_config."""
    from trl import DPOConfig, DPOTrainer

    config = DPOConfig(
        **arguments,
        max_length=params.max_length,
        beta=params.beta,
        loss_type=params.loss_type,
        loss_weights=params.loss_weights,
    )
    return consumed_rows.recording(DPOTrainer)(args=config, **parts)
