"""A reward model through TRL: a score that is higher for the preferred answers of pairs (Ouyang et al. 2022,
arXiv:2203.02155). What comes of it scores answers, and writes none.
"""

from typing import Any

from stages.params.training import Reward
from stages.rows.row import Content
from stages.training import consumed_rows, reward_model, row_means
from stages.training.row_renderer import Loss
from stages.training.tokens import Tokens


def loss(params: Reward) -> Loss:
    """The score of the answers."""
    return "answer"


def example(content: Content, sides: list[Tokens]) -> dict[str, Any]:
    """The columns that RewardTrainer makes of a row itself."""
    chosen, rejected = sides
    return {"chosen_ids": chosen.ids, "rejected_ids": rejected.ids}


def trainer(params: Reward, arguments: dict[str, Any], **parts: Any) -> Any:
    """The TRL trainer; `parts` are model, datasets, processing_class and peft_config."""
    from trl import RewardConfig, RewardTrainer
    from trl.trainer.reward_trainer import DataCollatorForPreference

    class TokensTrainer(RewardTrainer):
        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset  # it has the columns that RewardTrainer would tokenize, and drop rows from

        def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
            self.model.config.get_text_config().pad_token_id = pad  # train() makes it the tokenizer's
            n_pairs = 1 if self.model.training else len(inputs["input_ids"]) // 2
            with row_means.by_row(self._metrics["eval"], n_pairs):
                return super().compute_loss(model, inputs, *args, **kwargs)

    datasets = [dataset for dataset in (parts["train_dataset"], parts["eval_dataset"]) if dataset]
    last = {ids[-1] for dataset in datasets for side in ("chosen_ids", "rejected_ids") for ids in dataset[side]}
    pad = reward_model.padding(last, parts["processing_class"].pad_token_id)
    config = RewardConfig(**arguments, max_length=None)  # rows are dropped before
    collator = DataCollatorForPreference(pad_token_id=pad)
    return consumed_rows.recording_trainer(TokensTrainer)(args=config, data_collator=collator, **parts)
