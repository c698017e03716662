"""The declared device: prepared for training, or refused before any work."""

from modelmake.errors import UserError
from stages.params.machine import Machine


def prepare(machine: Machine) -> None:
    """Sets torch's number of threads and its deterministic algorithms.

    On a GPU torch refuses what it can only compute in another order each time: a warning would leave attention its
    faster, other gradients.

    Raises:
        UserError: a GPU, or bfloat16 on it, is declared but not available.
    """
    import torch

    torch.set_num_threads(machine.threads)
    torch.use_deterministic_algorithms(True, warn_only=machine.device == "cpu")
    torch.utils.deterministic.fill_uninitialized_memory = False  # it shows reads of what was never written
    check(machine.device, machine.dtype)


def check(device: str, dtype: str) -> None:
    """Checks that the device is there.

    Raises:
        UserError: a GPU, or bfloat16 on it, is declared but not available.
    """
    import torch

    if device == "cuda":
        if not torch.cuda.is_available():
            raise UserError("params.yaml: machine.device = 'cuda': torch sees no GPU here; want one, or write cpu")
        if dtype == "bfloat16" and not torch.cuda.is_bf16_supported():
            raise UserError(
                f"params.yaml: machine.dtype = 'bfloat16': {torch.cuda.get_device_name()} has none; write float32"
            )
