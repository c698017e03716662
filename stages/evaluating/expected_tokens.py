"""The tokens of held-out rows that a model was trained to predict: those of the expected answers."""

from pathlib import Path
from typing import Any

from stages.evaluating.forced import Forced
from stages.rows.row import Row
from stages.training import chat_template, tokens
from stages.training.row_renderer import RowRenderer

OMITTED = ["reasoning_content", "tools"]  # fields that training may have been told to leave out


def read(rows: list[Row], model: Path) -> tuple[list[Forced], int]:
    """Each row as training reads it, by the tokenizer and template of `model`; and how many rows are left out.

    All turns of the assistant are predicted, if the template marks them, else the answer. Rows that training would
    refuse, and those that are longer than the model reads, are left out. Of a pair the chosen answer is taken.
    After a preference step these are texts that the model was trained away from.
    """
    from transformers import AutoConfig, AutoTokenizer

    from stages.evaluating.runtimes.transformers import context

    tokenizer, limit = AutoTokenizer.from_pretrained(model), context(AutoConfig.from_pretrained(model))
    stops = [tokenizer.decode([stop]) for stop in sorted(chat_template.stop_token_ids(model, tokenizer))]
    marked = chat_template.GENERATION.search(_template(tokenizer))
    renderer = RowRenderer(tokenizer, "assistant" if marked else "answer", stops, OMITTED)
    encoded = tokens.encode([row.content for row in rows], tokenizer, renderer)
    sides = [row.sides[0] for row in encoded if not row.losses and len(row.sides[0].ids) <= limit]
    forced = [
        Forced(side.ids, [at for start, end in side.trained for at in range(max(start, 1), end)]) for side in sides
    ]
    read = [of_row for of_row in forced if of_row.at]
    return read, len(rows) - len(read)


def _template(tokenizer: Any) -> str:
    return tokenizer.get_chat_template(None, None)
