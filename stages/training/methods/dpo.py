"""DPO through TRL: pairs of a preferred and a rejected answer to the same prompt.

Log-probabilities of the reference, the model that the step starts from, are computed once, before training.
"""

from typing import Any

from stages.params.training import Dpo
from stages.rows.row import Content
from stages.training import consumed_rows, labelled_logits
from stages.training.row_renderer import Loss
from stages.training.tokens import Tokens


def loss(params: Dpo) -> Loss:
    """The answers."""
    return "answer"


def example(content: Content, sides: list[Tokens]) -> dict[str, Any]:
    """The columns that DPOTrainer makes of a row itself."""
    chosen, rejected = sides
    return {
        "prompt_ids": chosen.ids[: chosen.answer],
        "chosen_ids": chosen.ids[chosen.answer :],
        "rejected_ids": rejected.ids[rejected.answer :],
        "length": max(len(chosen.ids), len(rejected.ids)),
    }


def trainer(params: Dpo, arguments: dict[str, Any], **parts: Any) -> Any:
    """The TRL trainer; `parts` are model, datasets, processing_class and peft_config."""
    from trl import DPOConfig

    config = DPOConfig(
        **arguments,
        max_length=params.max_length,
        beta=params.beta,
        loss_type=params.loss_type,
        loss_weights=params.loss_weights,
        precompute_ref_log_probs=True,
        train_sampling_strategy="group_by_length",  # by the column `length`
    )
    labelled_logits.on_cpus()
    return consumed_rows.recording_trainer(_tokens_trainer())(args=config, **parts)


def _tokens_trainer() -> type:
    """DPOTrainer for rows of tokens."""
    import torch
    from trl import DPOTrainer

    class TokensTrainer(DPOTrainer):
        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset  # it has the columns that DPOTrainer would tokenize, and drop rows from

        def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
            """Adds what each answer's tokens sum to. Rows of like length are computed together."""
            rows = sorted(range(len(dataset)), key=dataset["length"].__getitem__)
            sums: dict[int, tuple[float, float]] = {}
            for first in range(0, len(rows), batch_size):
                of_batch = rows[first : first + batch_size]
                batch = self.data_collator([dataset[row] for row in of_batch])
                chosen, rejected = self.compute_ref_log_probs(self.model, batch)
                sums |= dict(zip(of_batch, zip(chosen.tolist(), rejected.tolist(), strict=True), strict=True))
            for column, side in (("ref_chosen_logps", 0), ("ref_rejected_logps", 1)):
                dataset = dataset.add_column(column, [sums[row][side] for row in range(len(dataset))])
            return dataset

        def compute_ref_log_probs(self, model: Any, inputs: dict[str, Any]) -> tuple[Any, Any]:
            """As TRL, but with the adapter: it changes nothing yet. Without it, PiSSA and OLoRA lack what they took."""
            inputs = {name: value.to(self.accelerator.device) for name, value in inputs.items()}
            labels = inputs["input_ids"].masked_fill(inputs.pop("completion_mask") == 0, -100)
            with torch.no_grad(), self.accelerator.autocast():
                outputs = model(**inputs, labels=labels, fused_lm_head=True, use_cache=False)
            return outputs.log_probs.sum(dim=1).chunk(2)

    return TokensTrainer
