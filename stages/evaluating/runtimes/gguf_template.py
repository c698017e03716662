"""What a GGUF file says of its chat templates, its tokenizer and its tensors."""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from modelmake.errors import UserError
from stages.evaluating.normal_form import GGUF_KEY

SAMPLING = "general.sampling."  # keys of sampling
UNNAMED_BEGIN = 11  # the token that llama.cpp takes where a BPE tokenizer's file names no begin token


class Served(NamedTuple):
    """What llama.cpp makes prompts by."""

    templates: dict[str, str]  # {name: template}
    special_tokens: dict[str, str]  # {"bos_token": text, …}
    adds_begin: bool  # the tokenizer itself begins each text with `bos_token`
    normal_form: str | None  # of Unicode, that the tokenizer in training brings each text to


def read(file: Path) -> Served:
    """What llama.cpp makes prompts by, as far as the file says it."""
    import gguf

    fields = gguf.GGUFReader(file).fields
    key = "tokenizer.chat_template"
    templates = {"default" if name == key else name.removeprefix(f"{key}."): field.contents()
                 for name, field in fields.items() if name == key or name.startswith(f"{key}.")}  # fmt: skip
    tokens = fields["tokenizer.ggml.tokens"]
    ids = {name: fields.get(f"tokenizer.ggml.{kind}_token_id")
           for name, kind in (("bos_token", "bos"), ("eos_token", "eos"), ("pad_token", "padding"))}  # fmt: skip
    special_tokens = {name: tokens.contents(field.contents()) for name, field in ids.items() if field is not None}
    adds_begin, form = (fields.get(name) for name in ("tokenizer.ggml.add_bos_token", GGUF_KEY))
    return Served(
        templates, special_tokens, adds_begin is not None and adds_begin.contents(), form.contents() if form else None
    )


def check(file: Path, served: Served) -> None:
    """Checks that llama.cpp makes chats by what the file says, not by what it takes where a file says nothing.

    Raises:
        UserError: it has no chat template, or uses a begin token that it does not name.
    """
    if not served.templates:  # llama.cpp would silently use ChatML
        raise UserError(f"{file}: no chat template: want one; write the file from a folder that has one")
    uses = [f"template {name!r}" for name, template in served.templates.items() if "bos_token" in template]
    if "bos_token" not in served.special_tokens and (uses or served.adds_begin):
        raise UserError(
            f"{file}: no tokenizer.ggml.bos_token_id, and its {uses[0] if uses else 'tokenizer'} begins texts with "
            f"one: llama.cpp would take token {UNNAMED_BEGIN}; write the file from a folder with a bos_token, or take "
            "it out of the template and set add_bos_token to false"
        )


def stop_token_ids(file: Path) -> set[int]:
    """Ids of the tokens at which llama.cpp stops because the file names them."""
    import gguf

    fields = gguf.GGUFReader(file).fields
    ids = [fields.get(f"tokenizer.ggml.{kind}_token_id") for kind in ("eos", "eot", "eom")]
    return {int(field.contents()) for field in ids if field is not None}


def sampling_defaults(file: Path) -> dict[str, Any]:
    """{name: value} by which llama.cpp samples unless it is told otherwise."""
    import gguf

    fields = gguf.GGUFReader(file).fields.items()
    return {name.removeprefix(SAMPLING): field.contents() for name, field in fields if name.startswith(SAMPLING)}


def tensor_types(file: Path) -> dict[str, int]:
    """{type: tensors}, most first."""
    import gguf

    return dict(Counter(tensor.tensor_type.name for tensor in gguf.GGUFReader(file).tensors).most_common())
