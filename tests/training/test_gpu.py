"""What is promised of a GPU, on a real one: the same bytes after a kill, and what a CPU computes."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from modelmake.planning import resources
from stages.evaluating.runtimes.transformers import generate, text_likelihoods
from stages.params.machine import Machine
from stages.params.training import OwnAnswers
from stages.training import qlora, resume
from tests.evaluating.runtimes.test_transformers import ANSWERS, CONVERSATIONS, SETTINGS
from tests.tiny_models import build_model, build_reward_model, teach
from tests.training.test_qlora import logits
from tests.training.test_resume import LORA, NF4, STEPS, killed_before, run_stage, write_rows

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not resources.gpus(), reason="no NVIDIA GPU here")]
GPU = {dtype: Machine("cuda", dtype, 1) for dtype in ("float32", "bfloat16")}
NF4_BF16 = replace(NF4, bnb_4bit_compute_dtype="bfloat16")
ON_GPU = STEPS | {
    "sft, QLoRA": replace(STEPS["sft, QLoRA"], quantization=NF4_BF16),
    "sft, LoRA, 8-bit paged AdamW": replace(STEPS["sft, LoRA with dropout"], optim="paged_adamw_8bit"),
    "sft, LoRA, gradient checkpointing": replace(STEPS["sft, LoRA with dropout"], gradient_checkpointing=True),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return teach(build_model(tmp_path_factory.mktemp("model")), CONVERSATIONS, ANSWERS)


@pytest.mark.parametrize("kind", ON_GPU)
def test_training_in_bfloat16_that_was_killed_ends_with_the_same_bytes(
    model: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    params = ON_GPU[kind]
    if params.second_model_as():
        own = isinstance(params, OwnAnswers)
        second = build_reward_model(tmp_path / "second", model) if own else model
        params = replace(params, second_model=str(second))
    files = write_rows(tmp_path, params.rows)
    monkeypatch.setattr(resume, "CHECKPOINT_INTERVAL", 0)  # a checkpoint at every log step
    once = run_stage(model, tmp_path / "once", files, tmp_path / "c1", params, GPU["bfloat16"])
    for at in (3, 8):  # in the first and third epoch
        with killed_before(at):
            run_stage(model, tmp_path / f"killed{at}", files, tmp_path / "c2", params, GPU["bfloat16"])

    resumed = run_stage(model, tmp_path / "again", files, tmp_path / "c2", params, GPU["bfloat16"])

    assert "resumes from step 8" in capsys.readouterr().out
    assert resumed == once


def test_losses_are_those_of_a_cpu(model: Path, tmp_path: Path) -> None:
    params = replace(STEPS["sft, LoRA with dropout"], weights=replace(LORA, lora_dropout=0.0))
    files = write_rows(tmp_path, params.rows)
    machines = {"cpu": Machine("cpu", "float32", 1), "gpu": GPU["float32"]}
    for name, machine in machines.items():
        run_stage(model, tmp_path / name, files, tmp_path / f"c {name}", params, machine)

    cpu, gpu = (json.loads((tmp_path / name / "log.json").read_bytes())["history"] for name in machines)
    assert [line["loss"] for line in gpu if "loss" in line] == pytest.approx(
        [line["loss"] for line in cpu if "loss" in line], rel=1e-3
    )


@pytest.mark.parametrize("batch_size", [1, 4])
def test_answers_and_likelihoods_are_those_of_a_cpu(model: Path, batch_size: int) -> None:
    on_gpu = SETTINGS | {"device": "cuda", "batch_size": batch_size}

    assert generate(model, CONVERSATIONS, **on_gpu) == generate(model, CONVERSATIONS, **SETTINGS)
    texts, rest = ["The cat sat on the mat.", "1234"], {"context_tokens": 32, "checkpoint": SETTINGS["checkpoint"]}
    cpu, gpu = (
        text_likelihoods(model, texts, batch_size=batch_size, device=device, dtype="float32", **rest)
        for device in ("cpu", "cuda")
    )
    assert [found[0] for found in gpu] == pytest.approx([found[0] for found in cpu], rel=1e-4)


def test_what_merge_dequantizes_computes_as_the_4_bit_weights_on_the_gpu(tmp_path: Path) -> None:
    model = build_model(tmp_path, tie_word_embeddings=False)
    rounded = logits(qlora.load_4bit(model, NF4, "cuda"), "cuda")

    import torch

    assert torch.allclose(logits(qlora.load_dequantized(model, NF4)), rounded.cpu(), atol=2e-3)  # of logits of about 1
