"""Faults of the model that a step starts from, and of the machine, in one line each."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from modelmake.errors import UserError
from stages.params.training import Step

CPU_ALLOCATOR = "DefaultCPUAllocator"  # begins torch's message where the system gives no memory


def check_weights(folder: Path) -> None:
    """Checks that every file of weights is whole: its header can be read, and says the size that the file has.

    A flipped bit in the weights themselves is seen by the hash that DVC has of the folder.

    Raises:
        UserError: one is not.
    """
    from safetensors import SafetensorError, safe_open

    for file in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(file, "np"):
                pass
        except (SafetensorError, OSError) as error:
            found = " ".join(str(error).split())
            raise UserError(
                f"{file}: no whole file of weights ({found}): remove it and run `dvc repro` again; `modelmake verify` "
                "says what else is wrong"
            ) from None


def check_vocabulary(folder: Path, ids: Iterable[int]) -> None:
    """Checks that the model has an embedding for each of the tokens' `ids`.

    Raises:
        UserError: it has not.
    """
    from transformers import AutoConfig

    n_embeddings = AutoConfig.from_pretrained(folder).get_text_config().vocab_size
    if (highest := max(ids, default=-1)) >= n_embeddings:
        raise UserError(
            f"{folder}: its tokenizer gives token {highest}, and its model has {n_embeddings} embeddings (vocab_size): "
            "want the tokenizer of this model"
        )


@contextmanager
def told_out_of_memory(where: str, params: Step) -> Iterator[None]:
    """Says in one line what to lower where there is no memory left, of a GPU or of the machine.

    Raises:
        UserError: there is none.
    """
    import torch

    try:
        yield
    except (MemoryError, torch.OutOfMemoryError, RuntimeError) as error:
        if type(error) is RuntimeError and CPU_ALLOCATOR not in str(error):
            raise
        size = params.per_device_train_batch_size
        advice = [f"lower per_device_train_batch_size = {size} and raise gradient_accumulation_steps"] * (size > 1)
        advice += ["write gradient_checkpointing: true"] * (not params.gradient_checkpointing)
        advice.append(f"lower max_length = {params.max_length}")
        if not hasattr(params.weights, "target_modules"):
            advice.append("train an adapter (weights.kind: lora)")
        elif not params.quantization and not params.weights.on_4_bits() and params.TASK_TYPE == "CAUSAL_LM":
            advice.append("declare a quantization")
        raise UserError(
            f"{where}: out of memory: nothing published; {', or '.join(advice)}; `modelmake plan` foresees what a step "
            "needs"
        ) from error
