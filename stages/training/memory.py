"""Memory that a training step will take, foreseen by a step on tensors that have shapes and no content.

A forward and a backward pass of the real model class run on torch's fake tensors, and every allocation is counted. Two
short models are run, as each further layer adds the same; so a model of 70 billion parameters takes no longer than a
small one. benchmarks/memory.py holds what is foreseen against measured peaks.
"""

import weakref
from typing import Any, NamedTuple

from stages.params.machine import Machine
from stages.params.training import Step
from stages.params.weights import AdaLora, Lora
from stages.training import attention, start_model
from stages.training.labelled_logits import LabelledLogProbs

LAYERS = (2, 4)  # of the short models: even numbers, as some models alternate two kinds of layers
LOGGED = ("entropy", "is_top1")  # what TRL's trainer logs of the labelled tokens
BYTES_4BIT = 0.516  # of a weight in four bits, with its scales
STATES = {  # bytes that an optimizer keeps for each trained weight: its moments, of four bytes or one
    "adamw_torch": 8, "adamw_torch_fused": 8, "adafactor": 0.05, "sgd": 0, "adagrad": 4, "rmsprop": 4, "ademamix": 12,
    "lion_32bit": 4, "adamw_bnb_8bit": 2, "ademamix_8bit": 3, "lion_8bit": 1, "rmsprop_bnb_8bit": 1,
    "paged_adamw_32bit": 8, "paged_adamw_8bit": 2, "paged_ademamix_32bit": 12, "paged_ademamix_8bit": 3,
    "paged_lion_32bit": 4, "paged_lion_8bit": 1,
}  # fmt: skip
ANSWERS = {"pair": 2, "judged": 2}  # sequences of a row of the kind: kto adds another row's answer; else one


class Need(NamedTuple):
    """Bytes on the device that trains."""

    weights: int
    gradients: int
    optimizer: int
    activations: int  # kept for the backward pass
    logits: int  # of the vocabulary, with their gradients
    first_layer: int  # its backward pass, which comes last, beside the gradients

    @property
    def peak(self) -> int:
        """Gradients come while activations go."""
        passing = max(self.activations + self.logits, self.gradients + self.first_layer)
        return self.weights + self.optimizer + passing


def need(config: Any, params: Step, machine: Machine, tokens: int, trained: float) -> Need:
    """What a step of training takes at most: `layers` and `half` count as `all`, and a second model is not counted.

    Args:
        config: the model's configuration, of transformers.
        tokens: of the longest row, under `max_length`.
        trained: share of the tokens that the loss sees.
    """
    if params.TASK_TYPE == "SEQ_CLS":
        trained = 0.0  # a score has no logits of the vocabulary
    config = config.get_text_config()  # of a model that also sees, the part that is trained
    few, many = (_run(config, params, machine, tokens, trained, layers) for layers in LAYERS)
    layers = config.num_hidden_layers
    each = [(b - a) / (LAYERS[1] - LAYERS[0]) for a, b in zip(few, many, strict=True)]
    return Need(*(round(a + (layers - LAYERS[0]) * per_layer) for a, per_layer in zip(few, each, strict=True)))


def parameters(config: Any) -> int:
    """Of the whole model, tied ones once."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config).num_parameters()


def sequences(params: Step) -> int:
    """The sequences that one batch of a device holds."""
    return params.per_device_train_batch_size * ANSWERS.get(params.rows, 1)


class _Counter:
    """Bytes of the tensors that are alive, and the most that were."""

    def __init__(self) -> None:
        self.now, self.peak = 0, 0
        self._storages: dict[int, Any] = {}

    def add(self, tensor: Any) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._storages:
            return

        def freed(_: Any) -> None:
            self.now -= size
            del self._storages[key]

        self._storages[key] = weakref.ref(storage, freed)
        self.now += size
        self.peak = max(self.peak, self.now)


def _counting(counter: _Counter) -> Any:
    """A context in which every tensor that an operation makes is counted."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Counting(TorchDispatchMode):
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = function(*args, **(kwargs or {}))
            for leaf in tree_leaves(result):
                if isinstance(leaf, torch.Tensor):
                    counter.add(leaf)
            return result

    return Counting()


def _run(config: Any, params: Step, machine: Machine, tokens: int, trained: float, layers: int) -> Need:
    """What a model of `layers` layers takes."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    model = _model(config, params, machine, layers)
    decoder, head = model.get_decoder(), model.get_output_embeddings()
    counter, peaks = _Counter(), []

    def begins_first_layer(_: Any) -> None:
        """The gradient of its output is there."""
        peaks.append(counter.peak)
        counter.peak = counter.now

    def watch(_: Any, args: tuple[Any, ...]) -> None:
        if args[0].requires_grad:
            args[0].register_hook(begins_first_layer)

    _layers(decoder, layers)[1].register_forward_pre_hook(watch)
    with FakeTensorMode(allow_non_fake_inputs=True):
        _give_shapes(model)
        for tensor in (*model.parameters(), *model.buffers()):
            counter.add(tensor)
        weights = counter.now
        with _counting(counter):
            with torch.autocast("cpu", torch.bfloat16, enabled=machine.dtype == "bfloat16"):
                ids = torch.zeros(sequences(params), tokens, dtype=torch.long)
                hidden = decoder(input_ids=ids, use_cache=False).last_hidden_state
                activations = counter.now - weights
                rows = hidden.reshape(-1, hidden.shape[-1])[: max(1, round(ids.numel() * trained))]
                labels = torch.zeros(len(rows), dtype=torch.long)
                scores = LabelledLogProbs.apply(rows, head.weight, head.bias, labels, 1.0, 0, None, 1.0, LOGGED)
            scores[0].sum().backward()
    first_layer = counter.peak - weights
    logits = max(peaks, default=counter.peak) - weights - activations
    trainable = [p for p in model.parameters() if p.requires_grad]
    gradients = sum(p.numel() * p.element_size() for p in trainable)
    optimizer = sum(p.numel() for p in trainable) * STATES[params.optim]
    if params.quantization:
        of_layers = [p for p in _layers(decoder, layers).parameters() if not p.requires_grad and p.ndim == 2]
        weights -= round(sum(p.numel() * (p.element_size() - BYTES_4BIT) for p in of_layers))
    return Need(weights, gradients, round(optimizer), activations, logits, max(0, first_layer - gradients))


def _layers(decoder: Any, n: int) -> Any:
    """Its list of n layers, `h` of older models."""
    import torch

    lists = (module for module in decoder.children() if isinstance(module, torch.nn.ModuleList) and len(module) == n)
    return next(lists)


def _model(config: Any, params: Step, machine: Machine, layers: int) -> Any:
    """A model of so many layers without content, with the adapters of the step."""
    import copy

    import torch
    from transformers import AutoModelForCausalLM

    config = copy.deepcopy(config)
    config.num_hidden_layers = layers
    way = params.weights
    adapted = isinstance(way, Lora | AdaLora)
    with torch.device("meta"):
        dtype = getattr(torch, machine.dtype) if adapted else torch.float32
        model = AutoModelForCausalLM.from_config(config, dtype=dtype)
        attention.choose(model, params.attn_implementation)
    model.train()
    if params.gradient_checkpointing:
        model.gradient_checkpointing_enable()
        model.enable_input_require_grads()
    if adapted:
        from peft import LoraConfig, get_peft_model

        model = get_peft_model(
            model,
            LoraConfig(
                task_type="CAUSAL_LM", r=way.init_r if isinstance(way, AdaLora) else way.r,
                lora_dropout=way.lora_dropout if params.DROPOUT else 0.0,
                target_modules=way.target_modules, use_dora=isinstance(way, Lora) and way.use_dora,
                modules_to_save=getattr(way, "modules_to_save", None) or None,
                trainable_token_indices=getattr(way, "trainable_token_indices", None) or None,
            ),
            low_cpu_mem_usage=True,
        )  # fmt: skip
        start_model.train_in_float32(model)
        model = model.get_base_model()
        if machine.device == "cuda":
            _drop_as_on_gpus(model)
    return model


def _drop_as_on_gpus(model: Any) -> None:
    """Has dropout keep a byte for each value, as kernels of GPUs do; on CPUs it keeps a number."""
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.forward = lambda states, share=module.p: torch.native_dropout(states, share, True)[0]


def _give_shapes(model: Any) -> None:
    """Gives every weight a fake tensor of its shape, tied weights the same one."""
    import torch

    made: dict[int, Any] = {}

    def fake(tensor: Any) -> Any:
        if id(tensor) not in made:
            empty = torch.empty(tensor.shape, dtype=tensor.dtype)
            is_weight = isinstance(tensor, torch.nn.Parameter)
            made[id(tensor)] = torch.nn.Parameter(empty, requires_grad=tensor.requires_grad) if is_weight else empty
        return made[id(tensor)]

    for module in model.modules():
        for tensors in (module._parameters, module._buffers):
            for name, tensor in tensors.items():
                if tensor is not None:
                    tensors[name] = fake(tensor)
