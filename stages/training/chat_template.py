"""Renders turns with a model's chat template, in which `{% generation %}` blocks mark the assistant's words.

Training, evaluation and counts of tokens all render here.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

from modelmake.errors import UserError
from stages.rows.row import Message
from stages.rows.template_messages import template_messages

GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
ADVICE = "want one, end token included; write such a template into base.chat_template (see docs/models.md)"


class Rendered(NamedTuple):
    text: str
    blocks: list[tuple[int, int]]  # (start, end) in `text` of each generation block


def no_generation_block(where: str, model: str) -> str:
    """The message that the template of `model` marks no assistant turns, though step `where` trains on them alone."""
    return (
        f"{where}.assistant_only_loss = True: the chat template of {model} has no {{% generation %}} block around "
        f"assistant turns: {ADVICE}, or write false"
    )


def render(tokenizer: Any, turns: list[Message], tools: list[dict[str, Any]], prompt: bool = False) -> Rendered:
    """What `tokenizer.apply_chat_template` makes a text of. `prompt` asks for the beginning of an answer at its end.

    Raises:
        UserError: the template refuses the turns.
    """
    return render_messages(tokenizer, template_messages(turns), tools, prompt)


def render_messages(
    tokenizer: Any, messages: list[dict[str, Any]], tools: list[dict[str, Any]], prompt: bool
) -> Rendered:
    """`render` of turns that are messages of templates already."""
    template = tokenizer.get_chat_template(None, tools or None)
    return fill_in(template, tokenizer.special_tokens_map, messages, tools, prompt)


def fill_in(
    template: str, special_tokens: dict[str, Any], messages: list[dict[str, Any]], tools: list[dict[str, Any]],
    prompt: bool,
) -> Rendered:  # fmt: skip
    """`render` by a template and {"bos_token": text, …}."""
    import jinja2
    from transformers.utils import chat_template_utils

    marked = GENERATION.search(template) is not None
    try:
        [text], blocks = chat_template_utils.render_jinja_template(
            conversations=[messages], tools=tools or None, chat_template=template,
            return_assistant_tokens_mask=marked, add_generation_prompt=prompt, **special_tokens,
        )  # fmt: skip
    except (jinja2.TemplateError, TypeError, ValueError, AttributeError, LookupError) as error:
        raise UserError(f"the chat template refuses it: {' '.join(str(error).split())}") from error
    return Rendered(text, [(start, end) for start, end in blocks[0]] if marked else [])


def stop_token_ids(start: Path, tokenizer: Any) -> set[int]:
    """Ids at which generation stops: the tokenizer's eos_token, and `eos_token_id` of the generation config."""
    from transformers import AutoConfig, GenerationConfig

    if (start / "generation_config.json").exists():
        configured = GenerationConfig.from_pretrained(start).eos_token_id
    else:
        configured = AutoConfig.from_pretrained(start).eos_token_id
    return {tokenizer.eos_token_id, *(configured if isinstance(configured, list) else [configured])} - {None}
