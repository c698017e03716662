"""Trains steps in several processes, without the harness.

`python -m tests.training.in_processes FOLDER RANK` is one of them: it runs the jobs of FOLDER/jobs.json, one after
another, and writes the line of each, or its error, into FOLDER.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from modelmake.errors import UserError
from modelmake.running import launcher, workers
from stages import train
from stages.params.machine import Machine
from stages.params.training import Step
from stages.training import processes, progress, resume

ROOT = Path(__file__).parents[2]


class Job(msgspec.Struct):
    """A training."""

    params: Step
    model: str
    files: list[str]  # of train and val
    folder: str  # of its outputs
    checkpoints: str
    kill_at: int | None = None  # ends before this step, as if it were killed
    nan_at: int | None = None  # the last process has a loss of NaN in this step


class Killed(Exception):
    pass


def run(folder: Path, jobs: list[Job]) -> list[list[str]]:
    """Trains every job in its number of processes, which all have; the line of each process, for each job."""
    n = jobs[0].params.processes
    (folder / workers.FOLDER).mkdir(parents=True)
    (folder / "jobs.json").write_bytes(msgspec.json.encode(jobs))
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": launcher.LOOPBACK}
    command = [sys.executable, "-m", "tests.training.in_processes", str(folder)]
    started = [
        subprocess.Popen(
            [*command, str(rank)], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=(folder / f"{rank}.err").open("w"),
        )
        for rank in range(n)
    ]  # fmt: skip
    codes = [process.wait() for process in started]
    assert not any(codes), [(folder / f"{rank}.err").read_text()[-2000:] for rank in range(n)]
    return [[(folder / f"{number}.{rank}").read_text() for rank in range(n)] for number in range(len(jobs))]


def _spoil(trainer: Any, job: Job) -> None:
    """Makes a training end, or its loss no number, at the job's steps."""
    from transformers import TrainerCallback

    class Kill(TrainerCallback):
        def on_step_begin(self, args, state, control, **_):
            if state.global_step == job.kill_at:
                raise Killed

    trainer.add_callback(Kill())
    compute = trainer.compute_loss

    def compute_loss(*arguments: Any, **more: Any) -> Any:
        spoilt = trainer.state.global_step + 1 == job.nan_at and trainer.args.process_index == job.params.processes - 1
        return compute(*arguments, **more) * (float("nan") if spoilt else 1)

    if job.nan_at:
        trainer.compute_loss = compute_loss


def main() -> None:
    folder, rank = Path(sys.argv[1]), int(sys.argv[2])
    jobs = msgspec.json.decode((folder / "jobs.json").read_bytes(), type=list[Job])
    workers.take_part(workers.Worker(rank, rank, jobs[0].params.processes, str(folder), ("", ""), ""))
    resume.CHECKPOINT_INTERVAL = 0  # a checkpoint at every log step
    attach, cpu = progress.attach, Machine("cpu", "float32", 1)
    processes.join("train.step", jobs[0].params, cpu)
    processes.join = lambda *_: None  # once for all jobs
    for number, job in enumerate(jobs):
        progress.attach = lambda trainer, *rest, job=job: (attach(trainer, *rest), _spoil(trainer, job))
        outputs = [Path(job.folder, name) for name in ("trained", "consumed.jsonl", "log.json")]
        for made in (job.folder, job.checkpoints):
            Path(made).mkdir(parents=True, exist_ok=True)
        try:
            line = train.main(
                Path(job.model), ROOT / job.params.second_model, *map(Path, job.files), *outputs,
                Path(job.checkpoints), "step", job.params, cpu,
            )  # fmt: skip
        except (Killed, UserError) as error:
            line = f"{type(error).__name__}: {error}"
        (folder / f"{number}.{rank}").write_text(line)


if __name__ == "__main__":
    main()
