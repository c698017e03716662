"""Trackers get what training logs, and change nothing of what it writes; a tracker that ends does not end training."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages.training import tracking
from tests.tiny_models import build_model
from tests.training.test_resume import STEPS, run_stage, write_rows

SFT = STEPS["sft, all weights"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Installs a package where processes that are started later find it, and nothing else does."""

    def install(package: str) -> None:
        target = Path(os.environ.get("TRACKERS", tmp_path)) / package  # TRACKERS: a folder with what was installed
        if not target.exists():
            command = ["uv", "pip", "install", "--python", sys.executable, "--target", str(target), package]
            if (run := subprocess.run(command, capture_output=True, text=True)).returncode:
                pytest.skip(f"{package} cannot be installed here: {run.stderr[-200:]}")
        monkeypatch.setenv("PYTHONPATH", str(target))

    return install


def losses(outputs: dict[str, bytes]) -> dict[int, float]:
    history = json.loads(outputs["log.json"])["history"]
    return {entry["step"]: entry["loss"] for entry in history if "loss" in entry}


READ = {  # prints {step: loss} of what is at sys.argv[1]
    "tensorboard": """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util
events = EventAccumulator(sys.argv[1] + "/step")
events.Reload()
print(json.dumps({e.step: float(tensor_util.make_ndarray(e.tensor_proto)) for e in events.Tensors("loss")}))
""",
    "dvclive": """
import csv, json, sys
rows = csv.DictReader(open(sys.argv[1] + "/step/plots/metrics/loss.tsv"), delimiter="\\t")
print(json.dumps({row["step"]: float(row["loss"]) for row in rows}))
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("tracker", tracking.TRACKERS)
def test_a_tracker_gets_the_losses_and_changes_no_byte(
    model: Path, tmp_path: Path, tracker: str, installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_rows(tmp_path, "chat")
    monkeypatch.delenv(tracking.VARIABLE, raising=False)
    alone = run_stage(model, tmp_path / "alone", files, tmp_path / "c1", SFT)
    installed(tracker)
    where = str(tmp_path / "tracked")
    monkeypatch.setenv(tracking.VARIABLE, f"{tracker}={where}")

    tracked = run_stage(model, tmp_path / "out", files, tmp_path / "c2", SFT)

    assert tracked == alone
    read = subprocess.run([sys.executable, "-c", READ[tracker], where], capture_output=True, text=True, cwd=tmp_path)
    assert read.returncode == 0, read.stderr
    found = {int(step): loss for step, loss in json.loads(read.stdout.splitlines()[-1]).items()}
    assert found == pytest.approx(losses(alone))


def test_a_tracker_that_is_not_installed_is_told_and_training_goes_on(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(tracking.VARIABLE, f"tensorboard={tmp_path}/runs")

    outputs = run_stage(model, tmp_path / "out", write_rows(tmp_path, "chat"), tmp_path / "c", SFT)

    assert "trained/model.safetensors" in outputs
    assert "  tensorboard: its process " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("comet=/x", "MODELMAKE_TRACK: comet: want one of dvclive, tensorboard"),
        ("tensorboard=runs", "MODELMAKE_TRACK: tensorboard=runs: want an absolute path"),
        ("tensorboard", "MODELMAKE_TRACK: tensorboard=: want an absolute path"),
    ],
)
def test_a_setting_that_names_no_tracker_or_no_place_is_refused(setting: str, message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}$"):
        tracking.wanted(setting)


def test_several_trackers_are_named_with_spaces_between() -> None:
    assert tracking.wanted("tensorboard=/runs dvclive=/live=1") == {
        "tensorboard": "/runs",
        "dvclive": "/live=1",
    }
    assert tracking.wanted("") == {}
