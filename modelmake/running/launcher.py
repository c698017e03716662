"""Starts the processes that share the work of one stage, and watches them.

Each is the stage's own program, started once more with workers.VARIABLE in its environment: it computes the same key,
and what it reads and loads is checked like that of any stage. The process that dvc started only watches, and ends all
when one fails or is killed. Within a job of SLURM on several nodes, or with as many tasks, `srun` starts them.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from modelmake.errors import UserError
from modelmake.running import workers
from modelmake.running.arguments import Stage
from modelmake.running.workers import Worker

LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"
POLL_S, GRACE_S = 0.1, 3.0  # between two looks; for the others to end by themselves once one has failed


def count(stage: Stage) -> int:
    """The number of processes that a stage's parameters ask for."""
    return max(getattr(value, "processes", 1) for value in stage.arguments.values())


def by_srun(processes: int, variables: Mapping[str, str] = os.environ) -> bool:
    """Whether `srun` has to start the processes: the job has several nodes, or was given a task for each."""
    nodes, tasks = (int(variables.get(name) or 1) for name in ("SLURM_JOB_NUM_NODES", "SLURM_NTASKS"))
    return processes > 1 and "SLURM_JOB_ID" in variables and (nodes > 1 or tasks == processes)


def run(stage: Stage, processes: int, sandbox: Path, identities: tuple[str, str], proof: str) -> str:
    """Runs a stage's `main` in several processes, and returns the line of counts of the first.

    Raises:
        UserError: one of them failed or was killed; all have ended.
    """
    told = sandbox / workers.FOLDER
    told.mkdir()
    program = [sys.executable, "-m", stage.module, *sys.argv[1:]]
    worker = Worker(None, None, processes, str(sandbox), identities, proof)
    if by_srun(processes):
        options = [f"--ntasks={processes}", "--kill-on-bad-exit=1", "--overlap", "--mpi=none", "--input=all"]
        if nodes := os.environ.get("SLURM_JOB_NUM_NODES"):
            options.append(f"--nodes={min(int(nodes), processes)}")
        starts = [(["srun", *options, *program], worker, {})]
    else:
        mine = [dataclasses.replace(worker, rank=n, local_rank=n) for n in range(processes)]
        starts = [(program, worker, {"GLOO_SOCKET_IFNAME": LOOPBACK}) for worker in mine]
    started: list[subprocess.Popen] = []
    try:
        for number, (command, its, more) in enumerate(starts):
            with (told / f"{number}.err").open("wb") as errors:
                variables = {**os.environ, **more, workers.VARIABLE: msgspec.json.encode(its).decode()}
                # their stdin ends when this process does, however it ends
                started.append(
                    subprocess.Popen(
                        command, cwd=stage.root, env=variables, stdin=subprocess.PIPE, start_new_session=True,
                        stderr=None if its.rank == 0 else errors,
                    )
                )  # fmt: skip
        ended = _wait(started)
    finally:
        for process in started:
            process.kill()
            process.wait()
    if any(ended):
        raise UserError(_failure(stage.name, told, ended, processes))
    return json.loads((told / "0.json").read_bytes())["line"]


def _wait(started: list[subprocess.Popen]) -> list[int | None]:
    """The exit codes, once all have ended, or some time after one has failed; None of those that had not ended."""
    deadline = float("inf")
    while True:
        codes = [process.poll() for process in started]
        if None not in codes or time.monotonic() > deadline:
            return codes
        if any(codes) and deadline == float("inf"):
            deadline = time.monotonic() + GRACE_S
        time.sleep(POLL_S)


def _failure(name: str, told: Path, ended: list[int | None], processes: int) -> str:
    """What went wrong first, in words: others fail because they wait for the one that is gone."""
    said = [json.loads(file.read_bytes()) for file in sorted(told.glob("*.json"))]
    if user := [message["error"] for message in said if "error" in message]:
        return user[0]
    killed = [f"process {n + 1} of {processes} was ended by {signal.Signals(-c).name}"
              for n, c in enumerate(ended) if c is not None and c < 0]  # fmt: skip
    errors = [line for file in sorted(told.glob("*.err")) for line in file.read_text("utf-8", "replace").splitlines()]
    killed += [line for line in errors if line.startswith("srun: error:") and " task" in line]
    if killed:
        return f"{name}: {killed[0]}: nothing published; `dvc repro` goes on from the last checkpoint"
    tracebacks = sorted((message["at"], message["traceback"]) for message in said if "traceback" in message)
    shown = tracebacks[0][1] if tracebacks else "\n".join(errors[-20:])
    return f"{shown.rstrip()}\n{name}: one of its {processes} processes failed, as shown: nothing published"


def proof(key: dict[str, Any], values: dict[str, Any]) -> str:
    """A hash of a stage's key and parameters: that of the process which started this one is the same."""
    return hashlib.md5(json.dumps([key, values], sort_keys=True).encode()).hexdigest()


def tell(worker: Worker, told: dict[str, Any]) -> None:
    """Leaves a message for the process that started this one."""
    file = worker.told / f"{worker.rank}.json"
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(told))
    partial.replace(file)


@contextlib.contextmanager
def telling(worker: Worker, explain: Callable[[Exception], str]) -> Iterator[None]:
    """Tells the process that started this one how the block failed, and exits then."""
    try:
        yield
    except Exception as error:
        words = str(error) if isinstance(error, UserError) else explain(error)
        tell(worker, {"error": words} if words else {"at": time.time(), "traceback": traceback.format_exc()})
        sys.exit(1)
