"""How many rows of a training step are longer than its `max_length`, and what becomes of them."""

import hashlib
import importlib
from itertools import islice
from pathlib import Path
from typing import Any

from stages.commands.foreseen import remembered
from stages.params.training import Step

READ = 2_000  # rows: the first of a file that is sorted by hashes are a random sample of it
BECOME = {"drop": "dropped", "truncate": "cut", "split": "split", "error": "refused: training would stop there"}


def line(root: Path, step: Step, model: Path, template: str | None) -> str:
    """The share of the rows in data/mixed, as they are now, that are too long; "" where there is no such file.

    Args:
        model: folder of the step's model, for its tokenizer.
        template: of the base in `params.yaml`; None: the folder's own.
    """
    file = root / f"data/mixed/{step.rows}.jsonl"
    if not file.is_file():
        return ""
    with file.open("rb") as lines:
        head = hashlib.sha256(b"".join(islice(lines, READ))).hexdigest()
        more = next(lines, None) is not None
    settings = [str(type(step)), step.max_length, step.omit, getattr(step, "assistant_only_loss", None), template]
    tokenizer = [hashlib.sha256(part.read_bytes()).hexdigest() for part in sorted(model.glob("*.json*"))]
    templates = [part.read_text() for part in sorted(model.glob("*.jinja"))]
    read, long = remembered(
        root, ["over_long", head, settings, tokenizer, templates], lambda: count(file, step, model, template)
    )
    which = f"of the first {read:,} rows" if more else f"of {read:,} rows"
    share = f" ({long / read:.1%})" if long else ""
    become = f": {BECOME[step.over_long]}" if long else ""
    return f"{long:,} {which}{share} are longer than max_length: {step.max_length}{become}"


def count(file: Path, step: Step, model: Path, template: str | None) -> tuple[int, int]:
    """Rows that were read, and those of them that are too long."""
    from transformers import AutoTokenizer

    from stages.rows import jsonl
    from stages.training import chat_template, tokens
    from stages.training.row_renderer import RowRenderer

    tokenizer: Any = AutoTokenizer.from_pretrained(model)
    if template is not None:
        tokenizer.chat_template = template
    contents = [row.content for row in islice(jsonl.iter_rows(file), READ)]
    stops = [tokenizer.decode([token]) for token in sorted(chat_template.stop_token_ids(model, tokenizer))]
    method = importlib.import_module(step.modules()[0])
    encoded = tokens.encode(contents, tokenizer, RowRenderer(tokenizer, method.loss(step), stops, step.omit))
    lengths = [row.length for row in encoded]
    return len(lengths), sum(length > step.max_length for length in lengths)
