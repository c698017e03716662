"""SFT through TRL: chats with loss on the assistant's turns or on all, or texts (continued pretraining)."""

from typing import Any

from stages import consumption, rows
from stages.params.training import Sft


def example(content: rows.Chat | rows.Text) -> dict[str, Any]:
    """What TRL reads of a row."""
    if isinstance(content, rows.Text):
        return {"text": content.text}
    return {"messages": [{"role": m.role, "content": m.content} for m in content.messages]}


def tokens(content: rows.Chat | rows.Text, tokenizer: Any) -> int:
    """Length of a row under the model's own template."""
    if isinstance(content, rows.Text):
        return len(tokenizer.encode(content.text)) + 1  # TRL ends it with eos
    return len(tokenizer.apply_chat_template(example(content)["messages"])["input_ids"])


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
    return consumption.recording(SFTTrainer)(args=config, **parts)
