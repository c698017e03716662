"""An adapter that bare PEFT made, taken in by an entry of params.yaml alone: merged, traced, renewed with its bytes."""

from pathlib import Path

import pytest

from tests.conftest import clone, ran
from tests.pipeline.test_trace_built import trace
from tests.tiny_models import build_model

ADOPT = """adopt:
  theirs:
    from: base
    adapter: data/theirs
    quantization: null
"""


def save(start: Path, folder: Path, seed: int) -> None:
    """An adapter of random updates, as PEFT saves it without anything of modelmake."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(AutoModelForCausalLM.from_pretrained(start), config).save_pretrained(folder)


@pytest.mark.slow
def test_an_adapter_from_elsewhere_is_a_model_of_the_graph_whose_rows_are_unknown(tmp_path: Path) -> None:
    project = clone(tmp_path / "project")
    (project.path / "dvc.lock").unlink()
    build_model(project.path / "models/base")  # in place of what `base` makes in minutes
    save(project.path / "models/base", project.path / "data/theirs", seed=1)
    project.edit("params.yaml", "adopt: {}", ADOPT + "#")
    alone = ("--single-item", "adopt@theirs")

    project.repro("--single-item", "preflight")
    output = project.repro(*alone)

    assert ran(output) == ["adopt@theirs"]
    assert "adapter merged into 4 modules of base" in output
    assert (project.path / "models/theirs/model.safetensors").is_file()
    report = trace(project, "models/theirs")
    assert [made["path"] for made in report["unknown"]] == ["data/theirs", "models/base"]
    assert report["consumed"] == []
    _, text = project.run("python", "-m", "stages.commands.cli", "trace", "models/theirs")
    assert "rows of data/theirs: unknown; adopt@theirs made a model of it" in text

    assert ran(project.repro(*alone)) == []
    save(project.path / "models/base", project.path / "data/theirs", seed=2)
    assert ran(project.repro(*alone)) == ["adopt@theirs"]
