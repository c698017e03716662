"""Which of the processes that share the work of one stage this one is.

A stage whose parameters have `processes` above 1 runs its `main` in as many processes, each with the same arguments, in
the same sandbox (launcher.py).
"""

import dataclasses
import os
import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec

from modelmake.running.arguments import Stage

VARIABLE = "MODELMAKE_WORKER"  # JSON of a Worker
FOLDER = ".workers"  # in the sandbox: what each of them tells at its end


@dataclasses.dataclass(frozen=True)
class Worker:
    """One of the processes."""

    rank: int | None  # from 0; None: SLURM says it, and the next one
    local_rank: int | None  # among those of its node
    processes: int
    sandbox: str
    identities: tuple[str, str]
    proof: str  # hash of the key and the parameters

    @property
    def told(self) -> Path:
        """The folder for what the processes tell, and for the file by which they find each other."""
        return Path(self.sandbox, FOLDER)


_mine: list[Worker] = []  # of this process, if it is one


def mine() -> Worker | None:
    """Which of several processes this is; None if the stage has one only."""
    return _mine[0] if _mine else None


def joined(variables: Mapping[str, str] = os.environ) -> Worker | None:
    """The Worker that this process was started as; None if it was not started as one."""
    if VARIABLE not in variables:
        return None
    worker = msgspec.json.decode(variables[VARIABLE], type=Worker)
    if worker.rank is not None:
        return worker
    return dataclasses.replace(worker, rank=int(variables["SLURM_PROCID"]), local_rank=int(variables["SLURM_LOCALID"]))


def own_share(stage: Stage, worker: Worker) -> Stage:
    """The stage with this process's share of the threads."""
    arguments = dict(stage.arguments)
    for name, value in arguments.items():
        if hasattr(value, "threads"):
            arguments[name] = msgspec.structs.replace(value, threads=max(1, value.threads // worker.processes))
    return dataclasses.replace(stage, arguments=arguments)


def take_part(worker: Worker) -> None:
    """Makes this process one of several: it ends with the one that started it, and the first alone prints."""
    _mine.append(worker)
    os.environ.pop(VARIABLE, None)
    os.environ.update(
        RANK=str(worker.rank), LOCAL_RANK=str(worker.local_rank), WORLD_SIZE=str(worker.processes),
        MASTER_ADDR=os.environ.get("SLURM_LAUNCH_NODE_IPADDR", "127.0.0.1"),  # accelerate wants it; a file is used
    )  # fmt: skip
    threading.Thread(target=_end_with_stdin, daemon=True, name="end-with-stdin").start()
    if worker.rank:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _end_with_stdin() -> None:
    while os.read(0, 1 << 10):
        pass
    os._exit(1)
