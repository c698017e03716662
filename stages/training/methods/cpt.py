"""Continued pretraining through TRL: texts, of which every token is trained; short ones may share a block."""

from typing import Any

from modelmake.errors import UserError
from stages.params.training import Cpt
from stages.rows.row import Content
from stages.training import consumed_rows, labelled_logits, packing, processes
from stages.training.row_renderer import Loss
from stages.training.tokens import Tokens


def loss(params: Cpt) -> Loss:
    """Every token."""
    return "all"


def example(content: Content, sides: list[Tokens]) -> dict[str, Any]:
    """The pieces of a text: one, unless it was split."""
    return {"pieces": [piece.ids for piece in sides]}


def blocks(dataset: Any, params: Cpt) -> Any:
    """What the trainer reads: a datasets.Dataset of blocks, each with the rows of its pieces.

    The first token of a piece is read, not predicted: nothing comes before it.
    """
    from datasets import Dataset

    pieces = [(ids, row) for row, of_row in zip(dataset["row"], dataset["pieces"], strict=True) for ids in of_row]
    together = [[piece] for piece in range(len(pieces))]
    if params.packing:
        together = packing.blocks([len(ids) for ids, _ in pieces], params.max_length)
    columns: dict[str, list[Any]] = {"input_ids": [], "position_ids": [], "labels": [], "row": []}
    for block in together:
        texts = [pieces[piece][0] for piece in block]
        columns["input_ids"].append([token for ids in texts for token in ids])
        columns["position_ids"].append([position for ids in texts for position in range(len(ids))])
        columns["labels"].append([label for ids in texts for label in (-100, *ids[1:])])
        columns["row"].append(sorted({pieces[piece][1] for piece in block}))
    return Dataset.from_dict(columns)


def trainer(params: Cpt, arguments: dict[str, Any], **parts: Any) -> Any:
    """The TRL trainer; `parts` are model, datasets, processing_class and peft_config.

    Raises:
        UserError: the model does not keep packed rows apart.
    """
    from trl import SFTConfig, SFTTrainer

    labelled_logits.on_cpus()
    parts |= {name: blocks(parts[name], params) for name in ("train_dataset", "eval_dataset") if parts.get(name)}
    common: dict[str, Any] = {"max_length": None, "dataset_kwargs": {"skip_prepare_dataset": True}, "packing": False}
    if not params.packing:
        columns = [name for name in ("train_dataset", "eval_dataset") if parts.get(name)]
        parts |= {name: parts[name].remove_columns("position_ids") for name in columns}
        config = SFTConfig(**arguments, **common, train_sampling_strategy="group_by_length")
        return consumed_rows.recording_trainer(SFTTrainer)(args=config, **parts)

    shared = next((block for block in parts["train_dataset"] if block["position_ids"].count(0) > 1), None)
    if shared and packing.leaks(parts["model"], shared):
        raise UserError(
            f"packing = True: {type(parts['model']).__name__} does not keep rows of a block apart: want packing: false"
        )
    tokenizer = parts["processing_class"]

    class PackedTrainer(SFTTrainer):
        def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
            tokens = int(inputs.pop("tokens").sum())
            if self.model.training:  # TRL counts the tokens of one block
                self._total_train_tokens += sum(processes.gather(tokens - inputs["position_ids"].size(1)))
            return super().compute_loss(model, inputs, *args, **kwargs)

    filler = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    return consumed_rows.recording_trainer(PackedTrainer)(
        args=SFTConfig(**arguments, **common), data_collator=packing.collator(filler), **parts
    )
