"""Steps in several processes that could not train so, or would not shard: one exact line each, before anything runs."""

import copy
from typing import Any

import pytest

from modelmake import params
from modelmake.errors import UserError
from modelmake.planning import resources
from stages import preflight
from stages.params import cross_checks
from tests.conftest import ROOT

PARAMS = params.load(ROOT / "params.yaml")
KTO = {"method": "kto", "rows": "judged", "desirable_weight": 1.0, "undesirable_weight": 1.0}
HALF = {"kind": "half", "rotate_steps": None}
NF4 = {
    "load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True,
    "bnb_4bit_compute_dtype": "float32",
}  # fmt: skip


def problems(step: dict[str, Any], name: str = "sft", **machine: Any) -> list[str]:
    """Problems of the default params with changes of a step and of the machine."""
    values = copy.deepcopy(PARAMS)
    changed = values["train"][name] | step
    if step.get("method"):
        changed = {field: value for field, value in changed.items() if not field.startswith("loss_")}
    values["train"][name] = changed
    values["machine"] |= {"threads": 4, **machine}
    values["resources"]["model"]["gpu"] = 1 if machine.get("device") == "cuda" else 0
    chapters, found = preflight.decode(values)
    return [line.removeprefix("params.yaml: ") for line in found] or cross_checks.problems(chapters)


def test_several_processes_train_methods_that_share_a_batch() -> None:
    assert problems({"processes": 2}) == []
    assert problems({"processes": 2}, "dpo") == []


@pytest.mark.parametrize(
    ("name", "step", "found"),
    [
        ("sft", {"processes": 0}, "train.sft.processes = 0: expected `int` >= 1"),
        (
            "dpo", {**KTO, "processes": 2},
            "train.dpo.processes = 2: want 1: kto compares the answers of a batch, and shares would not be compared",
        ),
        (
            "sft", {"weights": HALF, "processes": 2},
            "train.sft.processes = 2: want 1: which weights have gradients changes from turn to turn, and DDP waits "
            "for all of them",
        ),
        (
            "dpo", {"quantization": NF4, "processes": 2},
            "train.dpo.processes = 2: want 1: a base in 4 bits was not tried in several",
        ),
        ("sft", {"sharding": "fsdp2"}, "train.sft.sharding = 'fsdp2': want null with processes = 1"),
        (
            "sft", {"sharding": "fsdp2", "processes": 2},
            "train.sft.sharding = 'fsdp2': want null with machine.device = 'cpu': accelerate shards nothing there, and "
            "does not say so",
        ),
        ("sft", {"processes": 8}, "machine.threads = 4: want 8 or more for train.sft.processes = 8: a thread for each"),
    ],
)  # fmt: skip
def test_what_several_processes_would_not_train_is_refused(name: str, step: dict[str, Any], found: str) -> None:
    assert problems(step, name) == [found]


def test_a_gpu_for_each_process_is_wanted() -> None:
    wanted = "resources.model.gpu = 1: want 2 or more for train.sft.processes = 2: a GPU for each"

    assert problems({"processes": 2, "sharding": "fsdp2"}, device="cuda") == [wanted]
    assert problems({"processes": 2, "sharding": "zero3"}, device="cuda") == [
        wanted, "train.sft.sharding = 'zero3': deepspeed is not installed: `uv add deepspeed`",
    ]  # fmt: skip


def test_a_build_here_with_fewer_gpus_than_processes_ends_in_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "unmet", lambda metas: {"gpu": "train reserves gpu = 2: this machine has 1"})
    monkeypatch.setattr(resources, "gpus", lambda: 1)
    monkeypatch.setenv("DVC_STAGE", "preflight")

    with pytest.raises(UserError, match=r"this machine has 1: want 2 here, or fewer processes, or machine.device: cpu"):
        preflight.machine_notes({}, processes=2)
    assert len(preflight.machine_notes({}, processes=1)) == 1
