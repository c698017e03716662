"""A step of training as the twin runs it."""

from fnmatch import fnmatchcase

import msgspec

from stages.params.training import Step
from stages.params.weights import Weights
from stages.twinning.shrunk import SIZES

ROWS, BATCH = 16, 4  # rows of a step, in micro-batches: the first step reads all
SMALL = {  # of a step: three steps, each over all rows, none of which is evaluated
    "num_train_epochs": 3, "per_device_train_batch_size": BATCH, "gradient_accumulation_steps": ROWS // BATCH,
    "gradient_checkpointing": False, "processes": 1, "sharding": None, "learning_rate": 1e-3,
    "lr_scheduler_type": "constant", "lr_scheduler_kwargs": {},
    "warmup_steps": 0, "logging_steps": 1, "eval_steps": 1000, "best": None, "stop_on": [],
}  # fmt: skip
SCHEDULE = {"tinit": 0, "tfinal": 1, "deltaT": 1}  # of AdaLoRA: ranks move at the first and the second of three steps
NAMES = ("parameters", "target_modules", "modules_to_save")  # fields of weights that may hold numbers of layers
LAYERS, MANY = SIZES["num_hidden_layers"], 1000  # of the twin; more than a base has


def small(step: Step) -> Step:
    """The step as the twin runs it: short, in float32, on two layers."""
    params = msgspec.structs.replace(step, **SMALL, weights=_weights(step.weights))
    if params.quantization:
        exact = msgspec.structs.replace(params.quantization, bnb_4bit_compute_dtype="float32")
        params = msgspec.structs.replace(params, quantization=exact)
    return params


def _weights(weights: Weights) -> Weights:
    """The same, of two of the many layers of the base, and within three steps."""
    changes = {field: value for field, value in SCHEDULE.items() if hasattr(weights, field)}
    for field in NAMES:
        if isinstance(names := getattr(weights, field, None), list):
            changes[field] = list(dict.fromkeys(two for name in names for two in _of_two_layers(name)))
    if layers := getattr(weights, "layers_to_transform", None):
        changes["layers_to_transform"] = sorted({layer % LAYERS for layer in layers})
    return msgspec.structs.replace(weights, **changes)


def _of_two_layers(name: str) -> list[str]:
    """The name, or pattern of names, with its first number modulo LAYERS; one for each layer that it matches."""
    parts = name.split(".")
    for i, part in enumerate(parts):
        if part.startswith("*") or not any(map(str.isdigit, part)) or (i and parts[i - 1] == "experts"):
            continue
        if layers := sorted({layer % LAYERS for layer in range(MANY) if fnmatchcase(str(layer), part)}):
            rest = "*" * part.endswith("*")  # matches dots, too
            return [".".join([*parts[:i], f"{layer}{rest}", *parts[i + 1 :]]) for layer in layers]
    return [name]
