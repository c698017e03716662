"""ORPO through TRL (Hong et al. 2024, arXiv:2403.07691): pairs, in one step from a base, without a reference model."""

from typing import Any

from stages.params.training import Orpo
from stages.rows.row import Content
from stages.training import consumed_rows, processes
from stages.training.row_renderer import Loss
from stages.training.tokens import Tokens

CERTAIN = -1e-6  # mean log-probability of a token: nearer to 0 the odds have no end, and the gradient is NaN


def loss(params: Orpo) -> Loss:
    """The answers."""
    return "answer"


def example(content: Content, sides: list[Tokens]) -> dict[str, Any]:
    """The columns that ORPOTrainer makes of a row itself."""
    columns: dict[str, Any] = {"length": max(len(side.ids) for side in sides)}
    for name, side in zip(("chosen", "rejected"), sides, strict=True):
        columns[f"{name}_input_ids"] = side.ids
        columns[f"{name}_attention_mask"] = [1] * len(side.ids)
        columns[f"{name}_labels"] = side.labels
    return columns


def trainer(params: Orpo, arguments: dict[str, Any], **parts: Any) -> Any:
    """The TRL trainer; `parts` are model, datasets, processing_class and peft_config."""
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

    tokenizer = parts["processing_class"]
    if tokenizer.pad_token is None:  # padding is masked by its place; TRL's other trainers do this themselves
        tokenizer.pad_token = tokenizer.eos_token

    class TokensTrainer(ORPOTrainer):
        @staticmethod
        def tokenize_row(row: dict[str, Any]) -> dict[str, Any]:
            """The row: it has the columns, whole. TRL would cut answers to nothing, and add a second end token."""
            return row

        def concatenated_forward(self, model: Any, batch: dict[str, Any]) -> tuple[Any, ...]:
            """TRL's, with the likelihood of the chosen answers alone: its own is of their prompts as well."""
            chosen, rejected, chosen_logits, rejected_logits, _, *rest = super().concatenated_forward(model, batch)
            n_tokens = (batch["chosen_labels"][:, 1:] != -100).sum(-1)  # (B,)
            nll = -(chosen * n_tokens).sum() / n_tokens.sum()
            return (chosen, rejected, chosen_logits, rejected_logits, nll, *rest)

        def store_metrics(self, metrics: dict[str, Any], train_eval: str = "train") -> None:
            if processes.count() > 1 and train_eval == "train":  # TRL tells those of the first process
                metrics = {name: processes.mean(self.share * float(value)) for name, value in metrics.items()}
            super().store_metrics(metrics, train_eval)

        def odds_ratio_loss(self, chosen: Any, rejected: Any) -> tuple[Any, ...]:
            return super().odds_ratio_loss(chosen.clamp(max=CERTAIN), rejected.clamp(max=CERTAIN))

    config = ORPOConfig(
        **arguments,
        max_length=params.max_length,
        beta=params.beta,
        disable_dropout=False,
        train_sampling_strategy="group_by_length",  # by the column `length`
    )
    return consumed_rows.recording_trainer(TokensTrainer)(args=config, **parts)
