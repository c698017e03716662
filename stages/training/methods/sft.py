"""SFT through TRL: chats with loss on the assistant's turns or on all, or texts (continued pretraining)."""

from typing import Any

import msgspec

from stages.params.training import Sft
from stages.rows.row import Chat, Text
from stages.training import consumed_rows


def example(content: Chat | Text) -> dict[str, Any]:
    """What TRL reads of a row."""
    if isinstance(content, Text):
        return {"text": content.text}
    found: dict[str, Any] = {"messages": msgspec.to_builtins(content.messages)}
    return {**found, "tools": content.tools} if content.tools else found


def tokens(content: Chat | Text, tokenizer: Any) -> int:
    """Length of a row under the model's own template."""
    if isinstance(content, Text):
        return len(tokenizer.encode(content.text)) + 1  # TRL ends it with eos
    return len(tokenizer.apply_chat_template(**_conversation(content))["input_ids"])


def _conversation(content: Chat) -> dict[str, Any]:
    found = example(content)
    return {"conversation": found["messages"], "tools": found.get("tools")}


def trainer(params: Sft, arguments: dict[str, Any], **parts: Any) -> Any:
    """The TRL trainer; `parts` are model, datasets, processing_class, peft_config."""
    from trl import SFTConfig, SFTTrainer

    config = SFTConfig(
        **arguments,
        max_length=params.max_length,
        assistant_only_loss=params.assistant_only_loss,
        train_sampling_strategy="group_by_length",  # rows of like length together: less padding
        packing=False,
    )
    return consumed_rows.recording(SFTTrainer)(args=config, **parts)
