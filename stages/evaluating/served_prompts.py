"""Whether a runtime makes prompts of a quantized model's file that have the tokens of those in training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.evaluating import normal_form
from stages.evaluating.runtimes import transformers

Tokens = list[int] | None  # None: refused

SYSTEM = {"role": "system", "content": "Be brief."}
ASKED = {"role": "user", "content": "What time is it?"}
ANSWERED = {"role": "assistant", "content": "It is noon."}
ZONE = {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]}
TIME = {"type": "function", "function": {"name": "time", "description": "The time.", "parameters": ZONE}}
CALL = {"type": "function", "function": {"name": "time", "arguments": {"zone": "Zürich"}}}
CALLED = {"role": "assistant", "content": "", "tool_calls": [CALL]}
TOLD = {"role": "tool", "name": "time", "content": "12:00"}
# Kinds of conversations that people will have with the model, whether the held-out rows have them or not.
SHAPES: dict[str, dict[str, Any]] = {
    "system": {"messages": [SYSTEM, ASKED], "tools": []},
    "several turns": {"messages": [ASKED, ANSWERED, ASKED], "tools": []},
    "tools": {"messages": [ASKED], "tools": [TIME]},
    "calls": {"messages": [ASKED, CALLED, TOLD], "tools": [TIME]},
}


def compare(model: Path, file: Path, runtime: Any, asked: list[dict[str, Any]]) -> dict[str, Any]:
    """{changed, begin_twice, normal_form, not_normal, shapes: {shape: same, changed or refused}}.

    `changed` prompts of the conversations `asked` have other tokens in the runtime than in training; `begin_twice` of
    them begin with two begin tokens. `normal_form` is that of the tokenizer, if the runtime leaves it out: who asks the
    file has to bring texts to it, and `not_normal` of the conversations are not in it. A shape is `refused` if the
    model's chat template refuses it.

    Args:
        model: folder that the file was made from, with the tokenizer and template of training.
        runtime: module that has `prompt_tokens`, and says by `NORMALIZES` if it normalizes texts as training does.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    conversations = [*asked, *SHAPES.values()]
    trained = transformers.prompt_tokens(model, conversations)
    served = runtime.prompt_tokens(file, conversations)
    form = None if runtime.NORMALIZES else normal_form.of_tokenizer(tokenizer)
    shapes = zip(SHAPES, trained[len(asked) :], served[len(asked) :], strict=True)
    return {
        **_counts(trained[: len(asked)], served[: len(asked)], tokenizer.bos_token_id),
        "normal_form": form,
        "not_normal": sum(normal_form.in_form(conversation, form) != conversation for conversation in asked),
        "shapes": {name: "refused" if ours is None else _state(ours, theirs) for name, ours, theirs in shapes},
    }


def _counts(trained: Sequence[Tokens], served: Sequence[Tokens], begin: int | None) -> dict[str, int]:
    changed = [theirs for ours, theirs in zip(trained, served, strict=True) if _state(ours, theirs) == "changed"]
    return {"changed": len(changed), "begin_twice": sum((ids or [])[:2] == [begin] * 2 for ids in changed)}


def _state(trained: Tokens, served: Tokens) -> str:
    return "same" if trained == served else "changed"
