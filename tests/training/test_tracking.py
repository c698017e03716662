"""Trackers get what training logs, and change nothing of what it writes; a tracker that ends does not end training."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages.training import tracking
from tests.tiny_models import build_model
from tests.tool_python import python_of
from tests.training.test_resume import STEPS, run_stage, write_rows

SFT = STEPS["sft, all weights"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


def losses(outputs: dict[str, bytes]) -> dict[int, float]:
    history = json.loads(outputs["log.json"])["history"]
    return {entry["step"]: entry["loss"] for entry in history if "loss" in entry}


# what people have in their shells, by which trackers would send or write elsewhere
DEFAULTS = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "WANDB_MODE": "online", "WANDB_API_KEY": "x" * 40}

READ = {  # prints {step: loss} of what is at sys.argv[1], which nothing was at before
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
    "mlflow": """
import json, sys
from mlflow import MlflowClient
client = MlflowClient("sqlite:///" + sys.argv[1] + "/mlflow.db")
[run] = client.search_runs([client.get_experiment_by_name("modelmake").experiment_id])
assert (run.info.run_name, run.info.status) == ("step", "FINISHED"), run.info
print(json.dumps({m.step: m.value for m in client.get_metric_history(run.info.run_id, "loss")}))
""",
    "wandb": """
import json, struct, sys
from pathlib import Path
from wandb.proto.wandb_internal_pb2 import Record
[file] = Path(sys.argv[1]).glob("wandb/offline-run-*/run-*.wandb")
data, at, found = file.read_bytes(), 7, {}
assert len(data) < 32768, "one block: no record is in two"
while at < len(data):
    size, kind = struct.unpack_from("<HB", data, at + 4)
    record = Record.FromString(data[at + 7 : at + 7 + size])
    values = {item.key or ".".join(item.nested_key): item.value_json for item in record.history.item}
    if "loss" in values:
        found[record.history.step.num] = float(values["loss"])
    at += 7 + size
print(json.dumps(found))
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("tracker", tracking.TRACKERS)
def test_a_tracker_gets_the_losses_and_changes_no_byte(
    model: Path, tmp_path: Path, tracker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = python_of(tracker)
    files = write_rows(tmp_path, "chat")
    monkeypatch.delenv(tracking.VARIABLE, raising=False)
    alone = run_stage(model, tmp_path / "alone", files, tmp_path / "c1", SFT)
    where = str(tmp_path / "tracked")
    (tmp_path / "tracked/mlruns/0").mkdir(parents=True)  # an old store of files, MLflow's default where one is
    for variable, value in DEFAULTS.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv(tracking.VARIABLE, f"{tracker}={where}")

    tracked = run_stage(model, tmp_path / "out", files, tmp_path / "c2", SFT)

    assert tracked == alone
    read = subprocess.run([python, "-c", READ[tracker], where], capture_output=True, text=True, cwd=tmp_path)
    assert read.returncode == 0, read.stderr
    found = {int(step): loss for step, loss in json.loads(read.stdout.splitlines()[-1]).items()}
    assert found == pytest.approx(losses(alone))


def test_a_tracker_whose_environment_cannot_be_built_is_told_and_training_goes_on(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(tracking.VARIABLE, f"tensorboard={tmp_path}/runs")
    monkeypatch.setenv("PATH", str(tmp_path))  # no uv

    outputs = run_stage(model, tmp_path / "out", write_rows(tmp_path, "chat"), tmp_path / "c", SFT)

    assert "trained/model.safetensors" in outputs
    assert "  tensorboard: its process " in capsys.readouterr().out


READS = "import sys; open(sys.argv[1], 'w').writelines(sys.stdin)"
HANGS = "import time; time.sleep(600)"


def sender(program: str, *arguments: str, most: int = 100, end_s: float = 30.0) -> tracking.Sender:
    return tracking.Sender("tensorboard", [sys.executable, "-c", program, *arguments], most, end_s)


def test_all_entries_reach_a_tracker_that_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sending = sender(READS, str(tmp_path / "read"))
    for step in range(3):
        sending.send(step, {"loss": 0.5})
    sending.end()

    lines = [json.loads(line) for line in (tmp_path / "read").read_text().splitlines()]
    assert lines == [{"step": step, "values": {"loss": 0.5}} for step in range(3)]
    assert capsys.readouterr().out == ""


def test_a_tracker_that_hangs_holds_training_up_no_longer_than_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A pipe takes 64 KiB; the next entry waits in the thread, two wait in the queue, and the others are dropped."""
    sending = sender(HANGS, most=2, end_s=0.2)
    large = {f"loss of {number}": 0.5 for number in range(1000)}
    for step in range(20):
        sending.send(step, large)
    sending.end()

    told = capsys.readouterr().out
    ended = "  tensorboard: its process did not end in 0.2 s and was killed: "
    found = re.fullmatch(ended + r"(\d+) of 20 entries were not sent, others may be lost\n", told)
    assert found and 15 <= int(found[1]) <= 20, told
    assert sending.process.returncode is not None


def test_a_tracker_that_ends_is_told_once_with_what_it_did_not_get(capsys: pytest.CaptureFixture[str]) -> None:
    sending = sender("raise SystemExit(3)")
    sending.process.wait()
    for step in range(3):
        sending.send(step, {"loss": 0.5})
    sending.end()

    assert capsys.readouterr().out == (
        "  tensorboard: its process has ended (3): nothing is tracked any more\n"
        "  tensorboard: its process failed (3): 3 of 3 entries were not sent, others may be lost\n"
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("comet=/x", "MODELMAKE_TRACK: comet: want one of dvclive, mlflow, tensorboard, wandb"),
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
