"""The chat templates and end tokens inside a GGUF file."""

from pathlib import Path


def read(file: Path) -> tuple[dict[str, str], dict[str, str], bool]:
    """({name: template}, {special token: text}, whether the tokenizer itself begins each text with `bos_token`)."""
    import gguf

    fields = gguf.GGUFReader(file).fields
    key = "tokenizer.chat_template"
    templates = {"default" if name == key else name.removeprefix(f"{key}."): field.contents()
                 for name, field in fields.items() if name == key or name.startswith(f"{key}.")}  # fmt: skip
    tokens = fields["tokenizer.ggml.tokens"]
    ids = {name: fields.get(f"tokenizer.ggml.{kind}_token_id")
           for name, kind in (("bos_token", "bos"), ("eos_token", "eos"), ("pad_token", "padding"))}  # fmt: skip
    special_tokens = {name: tokens.contents(field.contents()) for name, field in ids.items() if field is not None}
    adds_begin = fields.get("tokenizer.ggml.add_bos_token")
    return templates, special_tokens, adds_begin is not None and adds_begin.contents()


def stop_token_ids(file: Path) -> set[int]:
    """Ids of the tokens at which llama.cpp stops because the file names them."""
    import gguf

    fields = gguf.GGUFReader(file).fields
    ids = [fields.get(f"tokenizer.ggml.{kind}_token_id") for kind in ("eos", "eot", "eom")]
    return {int(field.contents()) for field in ids if field is not None}
