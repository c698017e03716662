"""Which rows a trainer really consumed, in order, whatever it did between dataset and step."""

from typing import Any

from stages.training import resume


def recording(trainer_class: type) -> type:
    """A trainer class that notes the `row` of every example that reaches a training step.

    The dataset carries a column `row` (an index); `consumed` is [(step, [row, …])], a micro-batch an entry.
    """

    class Recording(resume.ordered(trainer_class)):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.consumed: list[tuple[int, list[int]]] = []
            super().__init__(*args, **kwargs)
            self.data_collator = _carrying(self.data_collator)

        def _prepare_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
            numbers = inputs.pop("row").tolist()
            if self.model.training:
                self.consumed.append((self.state.global_step + 1, numbers))
            return super()._prepare_inputs(inputs)

    return Recording


def _carrying(collate: Any) -> Any:
    """The collator, letting `row` through."""
    import torch

    def carry(examples: list[dict[str, Any]]) -> dict[str, Any]:
        return {**collate(examples), "row": torch.tensor([example["row"] for example in examples])}

    return carry
