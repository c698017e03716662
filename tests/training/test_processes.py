"""A step in several processes trains what one process trains: the same rows in each step, the same weights."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy
import pytest
from msgspec.structs import replace
from safetensors.numpy import load_file

from stages.params.step_fields import Best
from stages.params.training import Step
from stages.rows import jsonl
from stages.training import processes
from stages.training.processes import shares
from tests.tiny_models import PLAIN_LORA, build_model
from tests.training import in_processes
from tests.training.in_processes import Job
from tests.training.test_resume import STEPS, run_stage, write_rows

ROWS = 19  # with 8 in a round of two processes, the last round has 2 and 1
FEW = 17  # 1 and none: the second process reads a filler


def step(kind: str, **changes: Any) -> Step:
    """A step of test_resume.py, for two epochs, without dropout: one process would draw other numbers."""
    params = STEPS[kind]
    if hasattr(params.weights, "lora_dropout"):
        params = replace(params, weights=replace(params.weights, lora_dropout=0.0))
    if hasattr(params, "loss_weights"):
        params = replace(params, loss_type=["sigmoid"], loss_weights=[1.0])
    return replace(params, **{"num_train_epochs": 2, "max_grad_norm": 100.0, **changes})


CASES: dict[str, tuple[Step, int]] = {
    "sft, all weights": (step("sft, all weights"), ROWS),
    "sft, DoRA, checkpointed": (step("sft, DoRA", gradient_checkpointing=True), ROWS),
    "cpt, packed and split": (step("cpt, packed and split"), ROWS),
    "dpo, LoRA": (step("dpo, LoRA"), ROWS),
    "orpo, LoRA": (step("orpo, LoRA with dropout"), ROWS),
    "distill, all weights": (step("distill, all weights"), ROWS),
    "reward, LoRA": (step("reward, LoRA"), ROWS),
    "sft, with a filler": (step("sft, all weights", weights=PLAIN_LORA), FEW),
    "dpo, with a filler": (step("dpo, LoRA"), FEW),
    "best": (
        step(
            "sft, all weights", num_train_epochs=8, learning_rate=0.1, lr_scheduler_type="constant", warmup_steps=0,
            eval_steps=1, best=Best("eval_loss", patience=1),
        ),
        ROWS,
    ),
}  # fmt: skip
DROPOUT = "sft, LoRA with dropout"
NAN = "a loss that is no number"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(scope="module")
def lines(folder: Path) -> dict[str, list[str]]:
    """{job: the lines of its two processes}, once all have run; one process's outputs are beside them."""
    model = build_model(folder / "model")
    jobs = {}

    def add(name: str, params: Step, n_rows: int, checkpoints: str = "", **more: Any) -> None:
        if params.second_model_as():
            params = replace(params, second_model=str(model))
        home = folder / name.replace(" ", "_")
        home.mkdir()
        files = write_rows(home, params.rows)
        jsonl.write(files[0], list(jsonl.read(files[0]))[:n_rows])
        if name in CASES:  # what one process makes of as many rows a step
            more_steps = params.gradient_accumulation_steps * 2
            one = replace(params, gradient_accumulation_steps=more_steps)
            run_stage(model, home / "one", files, home / "one_checkpoints", one)
        where = folder / (checkpoints or f"checkpoints of {name}")
        two = replace(params, processes=2)
        jobs[name] = Job(two, str(model), [str(f) for f in files], str(home / "two"), str(where), **more)

    for name, (params, n_rows) in CASES.items():
        add(name, params, n_rows)
    dropout = replace(STEPS[DROPOUT], num_train_epochs=2)
    add(DROPOUT, dropout, ROWS)
    add("killed", dropout, ROWS, "shared", kill_at=3)
    add("resumed", dropout, ROWS, "shared")
    add(NAN, CASES["sft, all weights"][0], ROWS, nan_at=2)
    return dict(zip(jobs, in_processes.run(folder / "run", list(jobs.values())), strict=True))


def outputs(folder: Path, job: str, which: str = "two") -> dict[str, bytes]:
    home = folder / job.replace(" ", "_") / which
    return {str(p.relative_to(home)): p.read_bytes() for p in sorted(home.rglob("*")) if p.is_file()}


def rows_of_steps(consumed: bytes) -> dict[int, list[str]]:
    rows: dict[int, list[str]] = {}
    for line in map(json.loads, consumed.splitlines()):
        rows.setdefault(line["step"], []).extend(line["ids"])
    return {number: sorted(ids) for number, ids in rows.items()}


def distance(folder: Path, job: str) -> float:
    """How far the weights of both are apart, relative to how far they were trained."""
    [file] = [name for name in outputs(folder, job) if name.endswith(".safetensors")]
    one, two = (load_file(folder / job.replace(" ", "_") / which / file) for which in ("one", "two"))
    start = load_file(folder / "model/model.safetensors")
    apart = sum(float(numpy.square(one[name] - two[name]).sum()) for name in one)
    moved = sum(float(numpy.square(one[name] - start.get(name, 0)).sum()) for name in one)
    return (apart / moved) ** 0.5


@pytest.mark.parametrize("job", CASES)
def test_two_processes_train_what_one_trains(lines: dict[str, list[str]], folder: Path, job: str) -> None:
    one, two = outputs(folder, job, "one"), outputs(folder, job)

    assert lines[job][1] == ""
    assert one.keys() == two.keys()
    assert rows_of_steps(two["consumed.jsonl"]) == rows_of_steps(one["consumed.jsonl"])
    # the last round of orpo weighs its likelihood, a mean over tokens, by the rows of each process
    assert distance(folder, job) < (1e-3 if job == "orpo, LoRA" else 1e-5)


@pytest.mark.parametrize("job", [name for name in CASES if name != "best"])
def test_no_row_of_an_epoch_is_left_out_or_read_twice(lines: dict[str, list[str]], folder: Path, job: str) -> None:
    params, n_rows = CASES[job]
    read = [i for line in outputs(folder, job)["consumed.jsonl"].splitlines() for i in json.loads(line)["ids"]]

    counts = {read.count(i) for i in set(read)}
    assert len(set(read)) == n_rows
    assert counts == {2} or params.rows == "text", "two epochs; a text has several pieces"


@pytest.mark.parametrize("job", [name for name in CASES if not name.startswith("cpt")])
def test_evaluations_and_tokens_are_those_of_one_process(lines: dict[str, list[str]], folder: Path, job: str) -> None:
    one, two = (json.loads(outputs(folder, job, which)["log.json"])["history"] for which in ("one", "two"))

    def of(history: list[dict[str, Any]], name: str) -> list[float]:
        return [entry[name] for entry in history if name in entry]

    for name in ("eval_loss", "num_tokens", "loss", "grad_norm"):
        assert of(two, name) == pytest.approx(of(one, name), rel=2e-3), name


def test_training_ends_and_keeps_the_best_step_as_one_process_does(lines: dict[str, list[str]], folder: Path) -> None:
    one, two = (json.loads(outputs(folder, "best", which)["log.json"]) for which in ("one", "two"))

    assert two["steps"] == one["steps"] < 16, "of 16: its patience ended"
    assert two["best"]["step"] == one["best"]["step"]


def test_processes_that_were_killed_end_with_the_same_bytes(lines: dict[str, list[str]], folder: Path) -> None:
    assert lines["killed"] == ["Killed: ", "Killed: "]
    assert outputs(folder, "resumed") == outputs(folder, DROPOUT)


def test_a_loss_that_is_no_number_in_one_process_ends_all_alike(lines: dict[str, list[str]]) -> None:
    first, second = lines[NAN]

    assert first == second
    assert first.startswith("UserError: train.step: step 2: the loss is nan (rows ")


def test_a_round_is_shared_as_evenly_as_can_be() -> None:
    assert shares(list(range(11)), 3, 2) == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10]]]
    assert shares([0, 1, 2, 3, 4], 2, 2) == [[[0, 1], [2, 3]], [[4], []]]
    assert shares(list(range(8)), 2, 3) == [[[0, 1], [2, 3], [4, 5]], [[6], [7], []]]


def test_one_process_shares_nothing() -> None:
    class Trainer:
        pass

    assert processes.sharing(Trainer) is Trainer
    assert (processes.gather({"a": 1}), processes.mean(0.25), processes.first("x")) == ([{"a": 1}], 0.25, "x")
    assert processes.read_by_all([3, 1]) == ([[3, 1]], 1.0)


def test_the_configuration_of_fsdp2_is_what_accelerate_parses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from accelerate.utils import FullyShardedDataParallelPlugin
    from transformers import TrainingArguments

    monkeypatch.setenv("FSDP_CPU_RAM_EFFICIENT_LOADING", "")  # transformers sets it
    given = copy.deepcopy(processes.ARGUMENTS["fsdp2"])

    arguments = TrainingArguments(str(tmp_path), use_cpu=True, **given)
    plugin = FullyShardedDataParallelPlugin(**arguments.fsdp_plugin_args)

    assert (plugin.fsdp_version, plugin.reshard_after_forward) == (2, True)
    assert plugin.state_dict_type.name == "FULL_STATE_DICT", "one process writes the whole model"
    assert plugin.auto_wrap_policy.__name__ == "transformer_auto_wrap_policy"
