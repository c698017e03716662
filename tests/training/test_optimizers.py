"""Every optimizer that may be named trains, and goes on after a kill to the same bytes."""

from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

from stages.params.schedules import Optimizer
from stages.training import resume
from tests.tiny_models import build_model
from tests.training.test_resume import STEPS, killed_before, run_stage, write_rows


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", get_args(Optimizer))
def test_an_optimizer_trains_and_goes_on_after_a_kill(
    model: Path, tmp_path: Path, optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The warm-up is a share: two of its 15 steps."""
    params = replace(STEPS["sft, all weights"], optim=optimizer, warmup_steps=0.1)
    files = write_rows(tmp_path, params.rows)
    monkeypatch.setattr(resume, "CHECKPOINT_INTERVAL", 0)  # a checkpoint at every log step
    uninterrupted = run_stage(model, tmp_path / "once", files, tmp_path / "c1", params)
    with killed_before(7):
        run_stage(model, tmp_path / "killed", files, tmp_path / "c2", params)

    assert uninterrupted["trained/model.safetensors"] != (model / "model.safetensors").read_bytes()
    assert run_stage(model, tmp_path / "again", files, tmp_path / "c2", params) == uninterrupted
