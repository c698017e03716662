"""SFT through TRL: chats with loss on assistant turns or on all of them, or texts (continued pretraining)."""

from typing import Any

import msgspec

from stages.params.training import Sft
from stages.rows.row import Chat, Text
from stages.training import consumed_rows


def example(content: Chat | Text) -> dict[str, Any]:
    """The row in TRL's format, which SFTTrainer tokenizes: {text}, or {messages} and, where there are any, {tools}."""
    if isinstance(content, Text):
        return {"text": content.text}
    messages = msgspec.to_builtins(content.messages)
    return {"messages": messages, "tools": content.tools} if content.tools else {"messages": messages}


def count_tokens(content: Chat | Text, tokenizer: Any) -> int:
    """Tokens of a row, a chat's under the model's chat template."""
    if isinstance(content, Text):
        return len(tokenizer.encode(content.text)) + 1  # TRL appends eos
    chat = example(content)
    return len(tokenizer.apply_chat_template(chat["messages"], tools=chat.get("tools"))["input_ids"])


def trainer(params: Sft, arguments: dict[str, Any], **parts: Any) -> Any:
    """The TRL trainer; `parts` are model, datasets, processing_class and peft_config."""
    from trl import SFTConfig, SFTTrainer

    config = SFTConfig(
        **arguments,
        max_length=params.max_length,
        assistant_only_loss=params.assistant_only_loss,
        train_sampling_strategy="group_by_length",  # batches of rows of similar length need less padding
        packing=False,
    )
    return consumed_rows.recording_trainer(SFTTrainer)(args=config, **parts)
