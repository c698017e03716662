"""What `modelmake plan` says of a training step: its memory, and what would make it fit."""

import json
import shutil
from pathlib import Path

import pytest

from modelmake import params
from modelmake.planning import resources
from stages.commands import training_needs
from stages.params.machine import Machine
from stages.params.training import Step
from tests.conftest import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return tmp_path


def sft(**changes: object) -> Step:
    values = params.load(ROOT / "params.yaml")["train"]["sft"]
    return params.section({"train": {"sft": {**values, **changes}}}, "train.sft", Step, "params.yaml")


def test_a_step_that_fits_lacks_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "memory", lambda: 2**34)

    [line], lacks = training_needs.needs(project, "sft")

    assert line.startswith("needs ") and " on cpu for rows of 256 tokens: weights 2, gradients 2, optimizer 4," in line
    assert lacks == []


def test_a_step_that_does_not_fit_gets_changes_with_which_it_does(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "memory", lambda: 100 * 2**20)

    [_, first, *others], lacks = training_needs.needs(project, "sft")

    assert lacks == ["memory: 100 MiB are free on cpu"]
    assert first.endswith(" MiB with per_device_train_batch_size: 2, gradient_accumulation_steps: 16")
    assert len(others) < training_needs.SHOWN


def test_nothing_that_would_do_is_said_too(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "memory", lambda: 2**20)

    [_, said], _ = training_needs.needs(project, "sft")

    assert said == "needs more than is free with smaller batches, gradient_checkpointing, LoRA and 4 bits together"


def test_lengths_are_those_of_the_last_log(project: Path) -> None:
    (project / "reports/train").mkdir(parents=True)
    log = {"tokens": {"longest": 77, "trained": 50, "total": 200}}
    (project / "reports/train/sft.json").write_text(json.dumps(log))

    [line], _ = training_needs.needs(project, "sft")

    assert "for rows of 77 tokens" in line


def test_a_base_that_is_not_here_yet_is_said(project: Path) -> None:
    values = (project / "params.yaml").read_text()
    tiny = values[values.index("base:\n") : values.index("\ntrain:\n")]
    hub = "base:\n  kind: hub\n  source: recipes/pins/qwen3_0_6b.json\n  chat_template: null\n"
    (project / "params.yaml").write_text(values.replace(tiny, hub))

    assert training_needs.needs(project, "sft") == (["memory: not foreseen before models/base is here"], [])


def test_each_change_is_offered_alone_and_upon_the_cheaper_ones() -> None:
    batch = "per_device_train_batch_size: 2, gradient_accumulation_steps: 16"
    lora, both = "weights: {kind: lora, r: 16}", f"{batch}, gradient_checkpointing: true"

    words = [words for words, _ in training_needs.changes(sft(), Machine("cpu", "float32", 1))]

    assert words == [batch, "gradient_checkpointing: true", lora, both, f"{both}, {lora}"]


def test_what_a_step_has_already_is_not_offered() -> None:
    changed = sft(per_device_train_batch_size=2, gradient_checkpointing=True)

    [(words, lora)] = list(training_needs.changes(changed, Machine("cpu", "float32", 1)))

    assert words == "weights: {kind: lora, r: 16}"
    assert lora.weights.r == 16
