"""Training in several processes: each has a share of every batch, and all have the same weights after every step.

Rows go round: of the batches of an epoch the first process gets the first, the second the second, and so on. What is
left for the last round is shared as evenly as can be. So no row is dropped or read twice, and a step has the rows that
one process reads with as many times the gradient_accumulation_steps. accelerate would fill the last round with rows of
the first one. Where fewer rows are left than there are processes, one without any reads a filler, which weighs nothing.

Evaluations are of all rows in every process: accelerate would count some of them twice.
"""

import copy
import math
from collections.abc import Iterator
from typing import Any

import msgspec

from modelmake.errors import UserError
from modelmake.running import workers
from stages.params.machine import Machine
from stages.params.training import Step

FILLER = -1  # in the column `row`
ARGUMENTS: dict[str | None, dict[str, Any]] = {  # {sharding: arguments of transformers' TrainingArguments}
    # gradients keep their places in what is sent, and so the order in which they are added, after a resume as before
    None: {"ddp_find_unused_parameters": True},
    "fsdp2": {
        "fsdp": True,
        "fsdp_config": {
            "version": 2, "auto_wrap_policy": "TRANSFORMER_BASED_WRAP", "reshard_after_forward": True,
            "state_dict_type": "FULL_STATE_DICT",
        },
    },
    "zero3": {
        "deepspeed": {
            "zero_optimization": {
                "stage": 3, "overlap_comm": True, "contiguous_gradients": True, "reduce_bucket_size": "auto",
                "stage3_prefetch_bucket_size": "auto", "stage3_param_persistence_threshold": "auto",
                "stage3_gather_16bit_weights_on_model_save": True,
            },
            "zero_allow_untested_optimizer": True, "zero_force_ds_cpu_optimizer": False,
            "bf16": {"enabled": "auto"}, "gradient_clipping": "auto", "gradient_accumulation_steps": "auto",
            "train_micro_batch_size_per_gpu": "auto", "train_batch_size": "auto",
        },
    },
}  # fmt: skip


def count() -> int:
    """The number of processes."""
    worker = workers.mine()
    return worker.processes if worker else 1


def is_first() -> bool:
    """Whether this process writes and tells: the only one, or the first."""
    worker = workers.mine()
    return not worker or worker.rank == 0


def join(where: str, params: Step, machine: Machine) -> None:
    """Connects the processes of this step.

    Raises:
        UserError: there are not as many as the step says, or not a GPU for each.
    """
    if count() != params.processes:
        raise UserError(
            f"{where}.processes = {params.processes}: it runs in {count()}: want `dvc repro`, which starts all of them"
        )
    if not (worker := workers.mine()):
        return
    import torch

    if is_first():
        factors = params.per_device_train_batch_size, count(), params.gradient_accumulation_steps
        product = " × ".join(map(str, factors))
        print(f"  {count()} processes: {product} = {math.prod(factors)} rows a step", flush=True)
    backend = "gloo"
    if machine.device == "cuda":
        if worker.local_rank >= torch.cuda.device_count():
            raise UserError(
                f"{where}.processes = {params.processes}: torch sees {torch.cuda.device_count()} GPUs here: want one "
                "for each process; lower it, or train on more nodes"
            )
        torch.cuda.set_device(worker.local_rank)
        backend = "cpu:gloo,cuda:nccl"
    torch.distributed.init_process_group(
        backend, init_method=f"file://{worker.told}/meeting", rank=worker.rank, world_size=worker.processes
    )


def arguments(params: Step) -> dict[str, Any]:
    """Arguments of transformers' TrainingArguments for several processes; none for one."""
    return copy.deepcopy(ARGUMENTS[params.sharding]) if params.processes > 1 else {}  # transformers fills them in


def gather(value: Any) -> list[Any]:
    """The value of every process, in their order: what JSON can hold. All of them have to ask."""
    if count() == 1:
        return [value]
    import torch

    own = torch.frombuffer(bytearray(msgspec.json.encode(value)), dtype=torch.uint8)
    sizes = [torch.zeros(1, dtype=torch.long) for _ in range(count())]
    torch.distributed.all_gather(sizes, torch.tensor([len(own)]))
    most = max(int(size) for size in sizes)
    parts = [torch.zeros(most, dtype=torch.uint8) for _ in sizes]
    torch.distributed.all_gather(parts, torch.nn.functional.pad(own, (0, most - len(own))))
    return [msgspec.json.decode(part[: int(size)].numpy().tobytes()) for part, size in zip(parts, sizes, strict=True)]


def mean(value: float) -> float:
    """The mean of the values of all processes."""
    if count() == 1:
        return value
    import torch

    values = [torch.zeros(1, dtype=torch.double) for _ in range(count())]
    torch.distributed.all_gather(values, torch.tensor([value], dtype=torch.double))
    return sum(map(float, values)) / count()


def first(value: Any) -> Any:
    """The value of the first process."""
    return gather(value)[0]


def shares(rows: list[int], batch_size: int, processes: int) -> list[list[list[int]]]:
    """The batches of an epoch: in each round one for every process. All but the last round are full."""
    per_round = batch_size * processes
    rounds = []
    for start in range(0, len(rows), per_round):
        left = rows[start : start + per_round]
        if len(left) == per_round:
            sizes = [batch_size] * processes
        else:
            sizes = [len(left) // processes + (rank < len(left) % processes) for rank in range(processes)]
        ends = [sum(sizes[: rank + 1]) for rank in range(processes)]
        rounds.append([left[end - size : end] for size, end in zip(sizes, ends, strict=True)])
    return rounds


def sharing(trainer_class: type) -> type:
    """Subclass of `trainer_class` that trains on this process's share of the rows, and evaluates on all."""
    if count() == 1:
        return trainer_class

    class SharingTrainer(trainer_class):
        share = 1.0  # of the rows of this round, in multiples of an equal one
        evaluates = fills = False  # in an evaluation; with a filler

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.accelerator.gather = self.accelerator.gather_for_metrics = self._gather

        def _get_train_sampler(self, *args: Any) -> Any:
            sampler = super()._get_train_sampler(*args)
            if hasattr(sampler, "batch_size"):  # rows of like length are grouped for a whole step
                sampler.batch_size *= count()
            return sampler

        def _get_dataloader(
            self, dataset: Any, description: str, batch_size: int, sampler_fn: Any = None, is_training: bool = False,
            dataloader_key: str | None = None,
        ) -> Any:  # fmt: skip
            if is_training:
                sampler = self._get_train_sampler(dataset)
                n_left = len(dataset) % (batch_size * count())
                if 0 < n_left < count():
                    dataset = _with_filler(dataset)
            loader = super()._get_dataloader(dataset, description, batch_size, None, is_training, dataloader_key)
            whole = loader.batch_sampler  # accelerate's, which would share out its own batches
            whole.num_processes, whole.process_index, whole.even_batches = 1, 0, False
            if is_training:
                whole.batch_sampler, whole.batch_size = _Shares(sampler, batch_size), None
            return loader

        def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
            self.fills = self.share == 0 and not self.evaluates
            loss = super().compute_loss(model, inputs, *args, **kwargs)
            self.fills = False
            if self.loss_is_scaled_for_ga is False and not self.evaluates:  # a mean over this process's rows
                loss = loss * self.share
            return loss

        def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
            self.evaluates = True
            try:
                return super().evaluation_loop(*args, **kwargs)
            finally:
                self.evaluates = False

        def _gather(self, data: Any, *_: Any, **__: Any) -> Any:
            """Tensors of all processes that have rows, one after the other; their first dimensions may differ."""
            return data if self.evaluates else _gathered(data, empty=self.fills)

    return SharingTrainer


def read_by_all(rows: list[int]) -> tuple[list[list[int]], float]:
    """The rows that every process has read in this round, and the share of this one, in multiples of an equal one."""
    own, *others = ([row for row in every if row != FILLER] for every in [rows, *gather(rows)])
    return [every for every in others if every], len(own) * count() / sum(map(len, others))


def _gathered(data: Any, empty: bool) -> Any:
    import torch

    if isinstance(data, tuple | list):
        return type(data)(_gathered(each, empty) for each in data)
    if isinstance(data, dict):
        return {name: _gathered(each, empty) for name, each in data.items()}
    own = data.detach().reshape(1) if data.ndim == 0 else data.detach().contiguous()
    own = own[:0] if empty else own
    sizes = gather(len(own))
    padded = torch.cat([own, own.new_zeros(max(sizes) - len(own), *own.shape[1:])])
    parts = [torch.zeros_like(padded) for _ in sizes]
    torch.distributed.all_gather(parts, padded)
    return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])


def _with_filler(dataset: Any) -> Any:
    """The dataset and one more row, that counts for nothing."""
    from datasets import Dataset, concatenate_datasets

    row = dataset[0]
    filler = {**row, "row": [FILLER] if isinstance(row["row"], list) else FILLER}
    return concatenate_datasets([dataset, Dataset.from_list([filler], features=dataset.features)])


class _Shares:
    """Batch sampler of the rows that this process reads. It has one batch a round, as all of them."""

    def __init__(self, sampler: Any, batch_size: int) -> None:
        self.sampler, self.size = sampler, batch_size
        self.rank = workers.mine().rank

    def __len__(self) -> int:
        return -(-len(self.sampler) // (self.size * count()))

    def __iter__(self) -> Iterator[list[int]]:
        for batches in shares(list(self.sampler), self.size, count()):
            yield batches[self.rank] or [len(self.sampler)]  # the filler is the row after the last
