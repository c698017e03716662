"""How long a row is in tokens, counted as training counts them: with what the chat template adds."""

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from modelmake.errors import UserError
from stages.params.cleaning import Clean
from stages.rows.row import Content, Pair
from stages.training.methods import dpo, sft


@cache
def tokenizer(folder: Path) -> Any:
    """The tokenizer of a model folder.

    Raises:
        UserError: there is none, or it has no chat template.
    """
    advice = "name models/base (see docs/your-data.md), or write clean.max_tokens: null"
    if not (folder / "tokenizer.json").is_file():
        raise UserError(f"clean.tokenizer = {str(folder)!r}: no tokenizer.json there: want a model's folder; {advice}")
    from transformers import AutoTokenizer

    found = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if not found.chat_template:
        raise UserError(f"clean.tokenizer = {str(folder)!r}: no chat template there: want one; {advice}")
    return found


def count(content: Content, folder: Path) -> int:
    """Tokens of a row; of a pair, those of its longer side."""
    method = dpo if isinstance(content, Pair) else sft
    return method.count_tokens(content, tokenizer(folder))


def problem(content: Content, params: Clean, tokenizer: Path, seen: Counter[str]) -> tuple[str, str] | None:
    """(reason, detail) where a row has more tokens than it may."""
    found = count(content, tokenizer)
    return ("over_long", f"{found} tokens, at most {params.max_tokens}") if found > params.max_tokens else None
