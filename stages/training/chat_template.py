"""Whether a chat template marks what the assistant says, and ends it as the model ends its answers."""

from pathlib import Path
from typing import Any

from modelmake.errors import UserError

PROBE = [{"role": role, "content": "a word"} for role in ("user", "assistant", "user")]


def check(start: Path, tokenizer: Any, where: str) -> None:
    """Refuses a template by which training on the assistant's words alone would teach nothing, or no end.

    Raises:
        UserError: there is no {% generation %} block, or it does not end with a token that ends answers.
    """
    encoded = tokenizer.apply_chat_template(PROBE, return_dict=True, return_assistant_tokens_mask=True)
    learnt = [i for i, mask in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True) if mask]
    while learnt and not tokenizer.decode(learnt[-1:]).strip():
        learnt.pop()
    advice = "want it there, end token included; write such a template into base.chat_template (see docs/models.md)"
    if not learnt:
        raise UserError(
            f"{where}.assistant_only_loss = True: the chat template of {start} has no {{% generation %}} around what "
            f"the assistant says: {advice}, or write false"
        )
    ends = end_tokens(start, tokenizer)
    if learnt[-1] not in ends:
        raise UserError(
            f"{where}: the chat template of {start} ends what is learnt of an answer with "
            f"{tokenizer.decode(learnt[-1:])!r}, and the model stops at {tokenizer.decode(sorted(ends))!r}, so it "
            f"would never learn to stop: {advice}"
        )


def end_tokens(start: Path, tokenizer: Any) -> set[int]:
    """The ids at which generation stops: the tokenizer's, and those of the generation config."""
    from transformers import AutoConfig, GenerationConfig

    if (start / "generation_config.json").exists():
        named = GenerationConfig.from_pretrained(start).eos_token_id
    else:
        named = AutoConfig.from_pretrained(start).eos_token_id
    return {tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])} - {None}
