"""Records the rows that training consumed, in order, after all that the trainer does between dataset and step."""

from typing import Any

from stages.training import processes, resume


def recording_trainer(trainer_class: type) -> type:
    """Subclass of `trainer_class` that records the rows of every training batch, in an order that can be resumed.

    The dataset needs a column `row` with the index of each row, or with a list of those of a block. `consumed` is
    [(step, [row, …])], an entry for each micro-batch of each process.
    """

    class RecordingTrainer(resume.epoch_seeded(trainer_class)):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.consumed: list[tuple[int, list[int]]] = []
            super().__init__(*args, **kwargs)
            self.data_collator = _keeping_row(self.data_collator)

        def _prepare_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
            rows = inputs.pop("row").tolist()
            if self.model.training:
                read, self.share = processes.read_by_all(rows)
                self.consumed += [(self.state.global_step + 1, of_process) for of_process in read]
            return super()._prepare_inputs(inputs)

    return RecordingTrainer


def _keeping_row(collate: Any) -> Any:
    """The collator, with the column `row` added to its batches."""
    import numpy as np
    import torch

    def collate_with_row(examples: list[dict[str, Any]]) -> dict[str, Any]:
        rows = np.hstack([example["row"] for example in examples])  # of blocks, lists
        batch = collate(examples)
        if processes.FILLER in rows and "labels" in batch:
            batch["labels"].fill_(-100)
        return {**batch, "row": torch.from_numpy(rows)}

    return collate_with_row
