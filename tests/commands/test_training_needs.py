"""What `modelmake plan` says of a training step: its memory, what would make it fit, and a rare learning rate."""

import json
import shutil
import subprocess
import sys
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


def test_a_rare_learning_rate_is_told_and_is_no_lack(project: Path) -> None:
    large = {
        "model_type": "llama", "vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    }  # fmt: skip
    (project / "models/base").mkdir(parents=True)
    (project / "models/base/config.json").write_text(json.dumps(large))
    values = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(values.replace("  device: cpu #", "  device: cuda #"))  # none is here

    lines, lacks = training_needs.needs(project, "sft")

    assert lines[1:] == [
        "learning_rate 2.0e-03 is more than is customary for sft of the model's own weights: 2.0e-06 to 5.0e-05 at "
        "8.0 billion parameters"
    ]
    assert lacks == []


def test_what_is_known_is_told_without_torch_though_the_schedule_differs(project: Path) -> None:
    told = training_needs.needs(project, "sft")
    values = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(values.replace("learning_rate: 0.002", "learning_rate: 0.001"))
    script = """
import sys
from pathlib import Path
from stages.commands import training_needs
print(training_needs.needs(Path(sys.argv[1]), "sft"))
assert not {"torch", "transformers", "peft"} & set(sys.modules), "imported"
"""

    again = subprocess.run([sys.executable, "-c", script, project], cwd=ROOT, capture_output=True, text=True)

    assert again.stdout == f"{told}\n", again.stderr
    assert again.returncode == 0, again.stderr


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
