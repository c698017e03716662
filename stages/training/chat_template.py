"""Checks that a chat template allows training on assistant turns alone: it marks them, end token included."""

import re
from pathlib import Path
from typing import Any

from modelmake.errors import UserError

GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
PROBE = [{"role": role, "content": "a word"} for role in ("user", "assistant", "user")]
ADVICE = "want one, end token included; write such a template into base.chat_template (see docs/models.md)"


def no_generation_block(where: str, model: str) -> str:
    """The message that the template of `model` marks no assistant turns, though step `where` trains on them alone."""
    return (
        f"{where}.assistant_only_loss = True: the chat template of {model} has no {{% generation %}} block around "
        f"assistant turns: {ADVICE}, or write false"
    )


def check(start: Path, tokenizer: Any, where: str) -> None:
    """Renders a conversation and checks what the template of the model folder `start` marks for training.

    Raises:
        UserError: no token is marked, so nothing would be learnt; or the marked part does not end with a token at
            which generation stops, so the model would never learn to stop.
    """
    encoded = tokenizer.apply_chat_template(PROBE, return_dict=True, return_assistant_tokens_mask=True)
    marked = [i for i, mask in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True) if mask]
    while marked and not tokenizer.decode(marked[-1:]).strip():
        marked.pop()
    if not marked:
        raise UserError(no_generation_block(where, str(start)))
    stops = stop_token_ids(start, tokenizer)
    if marked[-1] not in stops:
        raise UserError(
            f"{where}: the {{% generation %}} block in the chat template of {start} ends with "
            f"{tokenizer.decode(marked[-1:])!r}, but generation stops at {tokenizer.decode(sorted(stops))!r}, so the "
            f"model would never learn to stop: {ADVICE}"
        )


def stop_token_ids(start: Path, tokenizer: Any) -> set[int]:
    """Ids at which generation stops: the tokenizer's eos_token, and `eos_token_id` of the generation config."""
    from transformers import AutoConfig, GenerationConfig

    if (start / "generation_config.json").exists():
        configured = GenerationConfig.from_pretrained(start).eos_token_id
    else:
        configured = AutoConfig.from_pretrained(start).eos_token_id
    return {tokenizer.eos_token_id, *(configured if isinstance(configured, list) else [configured])} - {None}
