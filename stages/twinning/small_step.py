"""A step of training as the twin runs it."""

import msgspec

from stages.params.training import Step
from stages.twinning.shrunk import SIZES

ROWS, BATCH = 16, 4  # rows of a step, in micro-batches: the first step reads all
SMALL = {  # of a step: three steps, each over all rows, none of which is evaluated
    "num_train_epochs": 3, "per_device_train_batch_size": BATCH, "gradient_accumulation_steps": ROWS // BATCH,
    "gradient_checkpointing": False, "learning_rate": 1e-3, "lr_scheduler_type": "constant", "lr_scheduler_kwargs": {},
    "warmup_steps": 0, "logging_steps": 1, "eval_steps": 1000, "best": None, "stop_on": [],
}  # fmt: skip


def small(step: Step) -> Step:
    """The step as the twin runs it: short, in float32, on two layers."""
    params = msgspec.structs.replace(step, **SMALL)
    if layers := getattr(params.weights, "layers_to_transform", None):  # of the many layers of the base
        two = sorted({layer % SIZES["num_hidden_layers"] for layer in layers})
        params = msgspec.structs.replace(
            params, weights=msgspec.structs.replace(params.weights, layers_to_transform=two)
        )
    if params.quantization:
        exact = msgspec.structs.replace(params.quantization, bnb_4bit_compute_dtype="float32")
        params = msgspec.structs.replace(params, quantization=exact)
    return params
