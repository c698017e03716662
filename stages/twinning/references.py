"""What models compute of rows, each alone: nothing of the trainers is used."""

from pathlib import Path
from typing import Any, NamedTuple

from stages.params.training import Step
from stages.training import task_types
from stages.training.tokens import Tokens


class Likelihood(NamedTuple):
    """Of the trained tokens of a text."""

    nats: float  # their negative log-likelihood
    tokens: int


def full_model(folder: Path) -> Any:
    """The model of a folder, in float32."""
    return task_types.load("CAUSAL_LM", folder, dtype="float32").eval()


def start_model(folder: Path, step: Step) -> Any:
    """The model that a step starts from; rounded to 4 bits if the step does so."""
    if not step.quantization:
        return full_model(folder)
    from stages.training import qlora

    return qlora.load_dequantized(folder, step.quantization).eval()


def adapted(base: Any, adapter: Path) -> Any:
    """`base` with an adapter beside its weights."""
    from peft import PeftModel

    return PeftModel.from_pretrained(base, str(adapter)).eval()


def likelihood(model: Any, side: Tokens) -> Likelihood:
    import torch

    labels = torch.tensor(side.labels)[1:]  # (T - 1)
    seen = labels != -100
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([side.ids])).logits[0, :-1].float()  # (T - 1, V)
        nats = torch.nn.functional.cross_entropy(logits[seen], labels[seen], reduction="sum").double().item()
    return Likelihood(nats, int(seen.sum()))


def next_tokens(model: Any, prompts: list[list[int]]) -> list[Any]:
    """(V): log-probabilities of the token after each prompt."""
    import torch

    with torch.inference_mode():
        return [torch.log_softmax(model(input_ids=torch.tensor([ids])).logits[0, -1].float(), -1) for ids in prompts]
