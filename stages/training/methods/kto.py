"""KTO through TRL (Ethayarajh et al. 2024, arXiv:2402.01306): answers that somebody found good or bad.

The answers of a pair are a good one and a bad one.
"""

from typing import Any

from modelmake.errors import UserError
from stages.params.training import Kto
from stages.rows.row import Content
from stages.training import consumed_rows, labelled_logits
from stages.training.given import Given
from stages.training.row_renderer import Loss
from stages.training.tokens import Tokens


def loss(params: Kto) -> Loss:
    """The answer."""
    return "answer"


def example(content: Content, sides: list[Tokens]) -> dict[str, Any]:
    """The columns that KTOTrainer makes of a row itself; of a pair the rejected answer as well."""
    answer, *rejected = sides
    columns = {"prompt_ids": answer.ids[: answer.answer], "completion_ids": answer.ids[answer.answer :]}
    if rejected:
        return {**columns, "rejected_ids": rejected[0].ids[rejected[0].answer :]}
    return {**columns, "label": content.good}


def unpaired(dataset: Any) -> Any:
    """The dataset with each pair as two rows, the good answer of one beside the bad one of the next.

    So that a batch has answers of both kinds, and those of a pair do not meet in it.
    """
    if "rejected_ids" not in dataset.column_names:
        return dataset
    pairs = range(len(dataset))
    rows = [(pair, (pair + half) % 2 == 0) for half in (0, 1) for pair in pairs]
    answers = {True: list(dataset["completion_ids"]), False: list(dataset["rejected_ids"])}
    dataset = dataset.select([pair for pair, _ in rows]).remove_columns(["completion_ids", "rejected_ids"])
    dataset = dataset.add_column("completion_ids", [answers[good][pair] for pair, good in rows])
    return dataset.add_column("label", [good for _, good in rows])


def mismatched(answers: list[list[int]], batch_size: int) -> list[list[int]]:
    """The answers of each batch, moved on by one: what the trainer estimates the KL divergence with, as in TRL.

    The only row of a last batch gets the answer before it; in TRL it gets its own, which is no mismatch.
    """
    moved = []
    for first in range(0, len(answers), batch_size):
        batch = answers[first : first + batch_size]
        moved += [batch[-1], *batch[:-1]] if len(batch) > 1 else [answers[first - 1]]
    return moved


def check(given: Given, params: Kto) -> None:
    """Counts good and bad answers, and tells how their weights stand to each other.

    Raises:
        UserError: all answers are good, or all are bad: nothing could be told apart.
    """
    judged = [getattr(row.content, "good", None) for row in given.kept.rows]  # a pair is a good and a bad one
    good, bad = (sum(one in (kind, None) for one in judged) for kind in (True, False))
    if not good or not bad:
        raise UserError(f"KTO: {good} good and {bad} bad answers to train on: want some of both; add rows, or use sft")
    ratio = params.desirable_weight * good / (params.undesirable_weight * bad)
    print(
        f"  {good} good and {bad} bad answers: weighted {ratio:.2f} to 1; KTO's authors advise 1.00 to 1.33", flush=True
    )


def trainer(params: Kto, arguments: dict[str, Any], **parts: Any) -> Any:
    """The TRL trainer; `parts` are model, datasets, processing_class and peft_config. It shows rows in their order."""
    from trl import KTOConfig, KTOTrainer

    parts |= {of: unpaired(parts[of]) for of in ("train_dataset", "eval_dataset") if parts.get(of)}

    class TokensTrainer(KTOTrainer):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.likelihoods: list[Any] = []  # of the batch under way: of the model, and of the one that it started as
            super().__init__(*args, **kwargs)
            for model in filter(None, (self.model, self.ref_model)):
                model.register_forward_hook(self._see)

        def _see(self, model: Any, args: Any, outputs: Any) -> None:
            self.likelihoods.append(outputs.log_probs.detach().sum())

        def _compute_loss(self, *args: Any) -> Any:
            """TRL's, which would leave rows whose loss is NaN out of its mean, which is NaN then."""
            self.likelihoods.clear()
            return super()._compute_loss(*args) + 0 * sum(self.likelihoods)

        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            """The dataset has the columns that KTOTrainer would tokenize; the mismatched answers are added."""
            answers = mismatched(list(dataset["completion_ids"]), params.per_device_train_batch_size)
            return dataset.add_column("KL_completion_ids", answers)

    labelled_logits.on_cpus()
    config = KTOConfig(
        **arguments,
        max_length=params.max_length,
        beta=params.beta,
        desirable_weight=params.desirable_weight,
        undesirable_weight=params.undesirable_weight,
    )
    return consumed_rows.recording_trainer(TokensTrainer)(args=config, **parts)
