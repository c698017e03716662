"""SFT through TRL: chats, with the loss on assistant turns or on all of them."""

from typing import Any

from stages.params.training import Sft
from stages.rows.row import Content
from stages.training import consumed_rows, labelled_logits
from stages.training.row_renderer import Loss
from stages.training.tokens import Tokens


def loss(params: Sft) -> Loss:
    """Assistant turns, or every token."""
    return "assistant" if params.assistant_only_loss else "all"


def example(content: Content, sides: list[Tokens]) -> dict[str, Any]:
    """The columns that SFTTrainer reads of a row."""
    [tokens] = sides
    return {"input_ids": tokens.ids, "labels": tokens.labels}


def trainer(params: Sft, arguments: dict[str, Any], **parts: Any) -> Any:
    """The TRL trainer; `parts` are model, datasets, processing_class and peft_config."""
    from trl import SFTConfig, SFTTrainer

    config = SFTConfig(
        **arguments,
        max_length=None,  # rows are cut before
        dataset_kwargs={"skip_prepare_dataset": True},
        train_sampling_strategy="group_by_length",  # batches of rows of similar length need less padding
        packing=False,
    )
    labelled_logits.on_cpus()
    return consumed_rows.recording_trainer(SFTTrainer)(args=config, **parts)
