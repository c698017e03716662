"""The length of a row in tokens, counted as in training: with those of the chat template."""

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from modelmake.errors import UserError
from stages.params.cleaning import Clean
from stages.rows.row import Content
from stages.training import tokens


@cache
def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a model folder.

    Raises:
        UserError: there is none, or it has no chat template.
    """
    advice = "name models/base (see docs/your-data.md), or write clean.max_tokens: null"
    if not (folder / "tokenizer.json").is_file():
        raise UserError(f"clean.tokenizer = {str(folder)!r}: no tokenizer.json there: want a model's folder; {advice}")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if not tokenizer.chat_template:
        raise UserError(f"clean.tokenizer = {str(folder)!r}: no chat template there: want one; {advice}")
    return tokenizer


def count(content: Content, folder: Path) -> int:
    """Tokens of a row; of a pair, those of its longer side."""
    return tokens.count(content, load_tokenizer(folder))


def problem(content: Content, params: Clean, tokenizer: Path, language_counts: Counter[str]) -> tuple[str, str] | None:
    """(reason, detail) if a row has more than `max_tokens` tokens."""
    length = count(content, tokenizer)
    return ("over_long", f"{length} tokens, at most {params.max_tokens}") if length > params.max_tokens else None
