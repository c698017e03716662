"""A step computes attention as it says, to the same losses; what a model cannot do is refused."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from modelmake.errors import UserError
from tests.tiny_models import build_model
from tests.training.test_resume import STEPS, run_stage, write_rows

SFT = STEPS["sft, LoRA with dropout"]
PACKED = STEPS["cpt, packed and split"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("step", [SFT, PACKED], ids=["padded", "packed"])
def test_eager_and_sdpa_are_what_is_run_and_train_to_the_same_losses(
    model: Path, tmp_path: Path, step, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from torch.nn import functional

    files, calls, fused = write_rows(tmp_path, step.rows), [], functional.scaled_dot_product_attention
    monkeypatch.setattr(
        torch.nn.functional, "scaled_dot_product_attention", lambda *a, **k: calls.append(1) or fused(*a, **k)
    )

    def losses(implementation: str | None) -> tuple[int, list[float]]:
        calls.clear()
        params = replace(step, attn_implementation=implementation, num_train_epochs=1, weights=replace(
            step.weights, lora_dropout=0.0))  # fmt: skip
        outputs = run_stage(model, tmp_path / f"o{implementation}", files, tmp_path / f"c{implementation}", params)
        return len(calls), [e["loss"] for e in json.loads(outputs["log.json"])["history"] if "loss" in e]

    (left, by_default), (eager, eagerly), (sdpa, fusedly) = losses(None), losses("eager"), losses("sdpa")

    assert eager == 0 < sdpa == left
    assert fusedly == by_default
    assert eagerly == pytest.approx(fusedly, abs=1e-4)


def test_a_model_that_cannot_is_told_before_it_is_trained(tmp_path: Path) -> None:
    capped = build_model(tmp_path / "gemma2", "gemma2", head_dim=16, tie_word_embeddings=True)
    files = write_rows(tmp_path, "chat")

    with pytest.raises(UserError, match=r"^attn_implementation = 'sdpa': Gemma2ForCausalLM does not "):
        run_stage(capped, tmp_path / "out", files, tmp_path / "c", replace(SFT, attn_implementation="sdpa"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "flash_attention_2",
            "its package is in no lock, so no key holds it: want sdpa, which has PyTorch's flash",
        ),
        ("kernels-community/flash-attn2", "it is code from the hub, which no lock and no key holds: want sdpa"),
        ("flash", "want null, eager or sdpa"),
    ],
)
def test_what_no_key_would_hold_is_refused(name: str, told: str) -> None:
    [problem] = replace(SFT, attn_implementation=name).problems()

    assert problem.startswith(f"attn_implementation = {name!r}: {told}")
