"""Reward models: sequence classifiers with one label, which score a prompt with its answer.

transformers reads the score at the last token that is not padding, by its id. Where the padding token is also the end
token, as in many tokenizers, that would be the token before the end; so what is padding here ends no row.
"""

from pathlib import Path
from typing import Any

from modelmake.errors import UserError
from stages.training import task_types


def padding(last_tokens: set[int], usual: int | None = None) -> int:
    """A token that ends no row: the usual padding, or else the first one."""
    if usual is not None and usual not in last_tokens:
        return usual
    return next(token for token in range(len(last_tokens) + 1) if token not in last_tokens)


def load(folder: Path, device: Any) -> Any:
    """The reward model of a folder in the dtype that it stores, so that its scores depend on nothing else."""
    return task_types.load("SEQ_CLS", folder, dtype="auto", device_map=device).eval()


def check(folder: Path, tokenizer: Any) -> None:
    """Checks that a folder has a reward model which can score what `tokenizer` makes of texts.

    Raises:
        UserError: it is no reward model, or reads other tokens.
    """
    from transformers import AutoConfig, AutoTokenizer

    config = AutoConfig.from_pretrained(folder)
    made_for = ", ".join(config.architectures or ["nothing"])
    if config.num_labels != 1 or "SequenceClassification" not in made_for:
        raise UserError(
            f"{folder}: {made_for} with {config.num_labels} labels: want a reward model, one score; train it with "
            "method: reward"
        )
    if AutoTokenizer.from_pretrained(folder).get_vocab() != tokenizer.get_vocab():
        raise UserError(f"{folder}: its tokenizer has other tokens: want a reward model of the same base")


def scores(network: Any, rows: list[list[int]], batch_size: int) -> list[float]:
    """The score of each row of tokens."""
    import torch

    found: list[float] = []
    for first in range(0, len(rows), batch_size):
        batch = rows[first : first + batch_size]
        pad = padding({row[-1] for row in batch})
        width = max(map(len, batch))
        input_ids = torch.tensor([row + [pad] * (width - len(row)) for row in batch])  # (B, T)
        attention_mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in batch])
        network.config.get_text_config().pad_token_id = pad
        with torch.inference_mode():
            logits = network(
                input_ids=input_ids.to(network.device),
                attention_mask=attention_mask.to(network.device),
                use_cache=False,
            ).logits  # (B, 1)
        found += logits[:, 0].float().tolist()
    return found
