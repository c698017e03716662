"""A step in two processes, by dvc: killed, resumed, and as two tasks of SLURM, it ends with the same bytes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.conftest import Project, tiny
from tests.snakefile.test_slurm import slurm  # noqa: F401

pytestmark = pytest.mark.slow
SLURM = ("munged", "slurmctld", "slurmd", "sbatch", "srun")
OUTPUTS = ("models/trained/sft/model.safetensors", "reports/train/sft.consumed.jsonl", "reports/train/sft.json")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Trained in two processes, undisturbed."""
    project = tiny(tmp_path_factory.mktemp("processes"))
    project.edit("params.yaml", "dtype: float32\n  threads: 1\n", "dtype: float32\n  threads: 2\n")
    before, sft, after = project.read("params.yaml").partition("  sft:\n")
    after = after.replace("num_train_epochs: 0.02", "num_train_epochs: 0.5", 1).replace(
        "processes: 1", "processes: 2", 1
    )
    project.write("params.yaml", before + sft + after)
    output = project.repro("train@sft")
    assert "  2 processes: 8 × 2 × 1 = 16 rows a step\n" in output
    return project


def outputs(project: Project) -> dict[str, bytes]:
    return {path: (project.path / path).read_bytes() for path in OUTPUTS}


def test_one_process_that_is_killed_ends_the_stage_in_one_line_and_the_rest_is_trained_from_there(
    trained: Project,
) -> None:
    undisturbed = outputs(trained)
    running = trained.start("dvc", "repro", "-f", "-s", "train@sft")
    workers: list[psutil.Process] = []
    folder = trained.path / ".dvc/cache/modelmake/checkpoints/train@sft"
    while not (len(workers) == 2 and list(folder.glob("*/checkpoint-*/complete.json"))):
        assert running.poll() is None
        time.sleep(0.05)
        children = psutil.Process(running.pid).children(recursive=True)
        workers = [child for child in children if child.environ().get("MODELMAKE_WORKER")]
    workers[1].send_signal(signal.SIGKILL)
    output, _ = running.communicate(timeout=60)

    assert "Traceback" not in output
    assert "train@sft: process 2 of 2 was ended by SIGKILL: nothing published" in output
    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)
    assert "  resumes from step " in trained.repro("-f", "-s", "train@sft")
    assert outputs(trained) == undisturbed


@pytest.mark.skipif(not all(map(shutil.which, SLURM)), reason="no SLURM: apt-get install slurm-wlm munge")
@pytest.mark.skipif(os.geteuid() != 0, reason="slurmd wants root")
def test_two_tasks_of_slurm_train_the_same_bytes(trained: Project, slurm: Path) -> None:  # noqa: F811
    undisturbed = outputs(trained)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment.pop("DVC_STAGE", None)
    log = slurm / "job.log"

    subprocess.run(
        ["sbatch", "--wait", "--ntasks=2", "--mem=3000", f"--output={log}", "--wrap", "dvc repro -f -s train@sft"],
        cwd=trained.path, env=environment, check=False, timeout=600,
    )  # fmt: skip

    steps = subprocess.run(["scontrol", "show", "job", "-o"], capture_output=True, text=True, check=True).stdout
    assert "JobState=COMPLETED" in steps, log.read_text()
    assert "NumTasks=2" in steps
    assert outputs(trained) == undisturbed
