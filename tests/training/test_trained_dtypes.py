"""What is trained is float32 on a machine of bfloat16 too, where the frozen base is not: small updates are kept."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from safetensors import safe_open
from safetensors.numpy import load_file as load_numpy
from safetensors.torch import load_file

from stages import merge, train
from stages.params.machine import Machine
from stages.params.training import OwnAnswers, Step
from stages.params.weights import All
from stages.training import resume
from tests.tiny_models import PLAIN_LORA, build_model, build_reward_model
from tests.training.made_up_ways import ADALORA, LORA, WAYS
from tests.training.test_resume import NF4, ROOT, STEPS, killed_before, write_rows

BF16, F32 = Machine("cpu", "bfloat16", 1), Machine("cpu", "float32", 1)
SFT = replace(STEPS["sft, all weights"], num_train_epochs=2)
EMBEDDING, OUTPUT = (replace(LORA, modules_to_save=[name]) for name in ("embed_tokens", "lm_head"))
TOKENS = replace(LORA, trainable_token_indices=[2, 3])
STEPS_OF = {
    **{way: replace(SFT, weights=weights) for way, weights in {
        "all": All(), "layers": WAYS["layers"], "half": WAYS["half"], "LoRA": LORA,
        "AdaLoRA": replace(ADALORA, tinit=1, tfinal=1), "the embedding": EMBEDDING, "the output": OUTPUT,
        "tokens": TOKENS,
    }.items()},
    **{f"QLoRA and {way}": replace(SFT, weights=weights, quantization=NF4)
       for way, weights in {"the embedding": EMBEDDING, "the output": OUTPUT, "tokens": TOKENS}.items()},
    "the score": STEPS["reward, LoRA"],
    "the score beside AdaLoRA": replace(
        STEPS["reward, LoRA"], weights=replace(ADALORA, tinit=1, tfinal=1, lora_dropout=0.0)
    ),
    "answers, the output": replace(STEPS["grpo, LoRA"], weights=replace(PLAIN_LORA, modules_to_save=["lm_head"])),
    "answers, the embedding": replace(STEPS["rloo, all weights"],
                                      weights=replace(PLAIN_LORA, modules_to_save=["embed_tokens"])),
    "pairs, the output": replace(STEPS["dpo, LoRA"], weights=replace(PLAIN_LORA, modules_to_save=["lm_head"])),
    "judged, the output": replace(STEPS["kto, LoRA"], weights=replace(PLAIN_LORA, modules_to_save=["lm_head"])),
}  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"), dtype="bfloat16", tie_word_embeddings=False)


@pytest.fixture(scope="module")
def reward_model(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_reward_model(tmp_path_factory.mktemp("reward_model"), model)


def run(model: Path, folder: Path, step: Step, machine: Machine, checkpoints: Path | None = None) -> Any:
    """Trains into folder/trained; returns {weight: dtype} of what was trained, as it was at the start."""
    checkpoints = checkpoints or folder / "checkpoints"
    folder.mkdir(exist_ok=True)
    checkpoints.mkdir(exist_ok=True)
    outputs = [folder / name for name in ("trained", "consumed.jsonl", "log.json")]
    dtypes: dict[str, str] = {}
    with pytest.MonkeyPatch.context() as patch:
        training = resume.train

        def looking(trainer: Any) -> None:
            dtypes.update({n: str(p.dtype) for n, p in trainer.model.named_parameters() if p.requires_grad})
            training(trainer)

        patch.setattr(resume, "train", looking)
        second = ROOT / step.second_model
        train.main(model, second, *write_rows(folder, step.rows), *outputs, checkpoints, "step", step, machine)
    return dtypes


@pytest.mark.parametrize("machine", [BF16, F32], ids=["bfloat16", "float32"])
@pytest.mark.parametrize("name", STEPS_OF)
def test_what_is_trained_is_float32(
    model: Path, reward_model: Path, tmp_path: Path, name: str, machine: Machine
) -> None:
    step = STEPS_OF[name]
    if isinstance(step, OwnAnswers):
        step = replace(step, second_model=str(reward_model))

    dtypes = run(model, tmp_path, step, machine)

    assert set(dtypes.values()) == {"torch.float32"}
    [saved] = (tmp_path / "trained").glob("*.safetensors")
    trained = load_file(saved)
    assert {str(weight.dtype) for weight in trained.values()} == {"torch.float32"}
    changed = trained.values() if "adapter" in saved.name else [trained["model.layers.1.mlp.up_proj.weight"]]
    assert not any(weight.bfloat16().float().equal(weight) for weight in changed), "rounded"


@pytest.mark.parametrize("quantized", [False, True])
def test_what_is_trained_whole_starts_from_the_weights_of_the_base(
    tmp_path: Path, quantized: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the base has more bits than bfloat16, to which TRL rounds all that is trained beside 4 bits."""
    start = build_model(tmp_path / "start", tie_word_embeddings=False)
    way = replace(PLAIN_LORA, modules_to_save=["lm_head"], trainable_token_indices=[2, 3])
    step = replace(SFT, weights=way, quantization=NF4 if quantized else None)
    found: dict[str, Any] = {}
    monkeypatch.setattr(resume, "train", lambda trainer: found.update(trainer.model.named_parameters()) or 1 / 0)

    with pytest.raises(ZeroDivisionError):
        run_to_training(start, tmp_path, step)

    base = load_numpy(start / "model.safetensors")
    [head] = [weight for name, weight in found.items() if "lm_head.modules_to_save" in name]
    [rows] = [weight for name, weight in found.items() if "trainable_tokens_delta" in name]
    assert (head.detach().numpy() == base["lm_head.weight"]).all()
    assert (rows.detach().numpy() == base["model.embed_tokens.weight"][[2, 3]]).all()


def run_to_training(start: Path, folder: Path, step: Step) -> None:
    outputs = [folder / name for name in ("trained", "consumed.jsonl", "log.json", "checkpoints")]
    second = ROOT / step.second_model
    train.main(start, second, *write_rows(folder, step.rows), *outputs, "step", step, F32)


def test_an_adapter_with_a_whole_module_resumes_and_merges_in_bfloat16(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "CHECKPOINT_INTERVAL", 0)
    step = replace(SFT, weights=OUTPUT)
    run(model, tmp_path / "once", step, BF16)
    with killed_before(4):
        run(model, tmp_path / "killed", step, BF16, tmp_path / "c")

    run(model, tmp_path / "again", step, BF16, tmp_path / "c")

    file = "trained/adapter_model.safetensors"
    assert (tmp_path / "again" / file).read_bytes() == (tmp_path / "once" / file).read_bytes()
    merge.main(model, tmp_path / "once/trained", tmp_path / "merged", "step", None)
    with safe_open(tmp_path / "merged/model.safetensors", "pt") as merged:
        assert str(merged.get_tensor("lm_head.weight").dtype) == "torch.bfloat16"
