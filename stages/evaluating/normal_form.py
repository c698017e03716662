"""The normal form of Unicode that a tokenizer brings texts to, and texts in that form.

llama.cpp leaves this step of a tokenizer out (Qwen's tokenizers do NFC), so what it is asked has to be in that form.
"""

import json
import unicodedata
from typing import Any

FORMS = ("NFC", "NFD", "NFKC", "NFKD")
GGUF_KEY = "modelmake.tokenizer.normal_form"  # in files that are written here; llama.cpp knows no such key


def of_steps(normalizer: dict[str, Any] | None) -> str | None:
    """The form that the `normalizer` of a tokenizer.json brings texts to; None: it leaves their form as it is."""
    steps = [] if normalizer is None else normalizer.get("normalizers", [normalizer])
    return next((step["type"] for step in steps if step["type"] in FORMS), None)


def of_tokenizer(tokenizer: Any) -> str | None:
    """The same of a tokenizer of transformers that is loaded."""
    return of_steps(json.loads(tokenizer.backend_tokenizer.to_str())["normalizer"])


def in_form(value: Any, form: str | None) -> Any:
    """A conversation, or any part of one, with each of its texts in the form; as it is if that is None."""
    if form is None:
        return value
    if isinstance(value, dict):
        return {in_form(name, form): in_form(of_name, form) for name, of_name in value.items()}
    if isinstance(value, list):
        return [in_form(item, form) for item in value]
    return unicodedata.normalize(form, value) if isinstance(value, str) else value
