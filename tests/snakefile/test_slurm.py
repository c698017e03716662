"""Stages as jobs of a real SLURM: one node on loopback, in a folder of its own."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.snakefile.conftest import Diamond

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch")
MISSING = [name for name in NEEDED if not shutil.which(name)] + [
    name for name in ["snakemake_executor_plugin_slurm"] if not find_spec(name)
]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(MISSING), reason=f"no {', '.join(MISSING)}: apt-get install slurm-wlm munge; --extra slurm"
    ),
    pytest.mark.skipif(os.geteuid() != 0, reason="slurmd wants root"),
]
CONF = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
MpiDefault=none
MinJobAge=3600
ReturnToService=2
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 Gres=gpu:1 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_until(true: Callable[[], bool], logs: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "\n".join(path.read_text() for path in logs.glob("*.out"))
        time.sleep(0.2)


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a running SLURM of two cores, 4000 MB and one GPU by name; SLURM_CONF leads there."""
    folder = tmp_path / "slurm"
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    conf = CONF.format(host=socket.gethostname().partition(".")[0], ports=free_ports(2), folder=folder)
    (folder / "slurm.conf").write_text(conf)
    (folder / "gres.conf").write_text("Name=gpu File=/dev/null\n")
    (folder / "key").write_bytes(os.urandom(128))
    (folder / "key").chmod(0o600)
    monkeypatch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
    (folder / "bin").mkdir()  # within a job, the plugin calls srun without SLURM_CONF
    (folder / "bin/srun").write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
    (folder / "bin/srun").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}/bin:{os.environ['PATH']}")
    files = [f"--{kind}-file={folder}/munged.{kind}" for kind in ("pid", "log", "seed")]
    commands = [
        ["munged", "--foreground", "--force", f"--key-file={folder}/key", f"--socket={folder}/munge.socket", *files],
        ["slurmctld", "-D"],
        ["slurmd", "-D"],
    ]
    daemons = []
    try:
        for command in commands:
            with (folder / f"{command[0]}.out").open("w") as output:
                daemons.append(subprocess.Popen(command, stdout=output, stderr=output))
            wait_until((folder / "munge.socket").exists, folder)
        idle = ["sinfo", "--noheader", "--format=%T"]
        wait_until(
            lambda: subprocess.run(idle, capture_output=True, text=True).stdout.strip() == "idle",
            folder,
        )
        yield folder
    finally:
        subprocess.run(["scancel", "--user=root"], check=False)
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.wait(30)


def test_every_stage_is_a_slurm_job_with_the_resources_of_its_meta(slurm: Path, diamond: Diamond) -> None:
    diamond.edit("dvc.yaml", "    outs: [last]\n", "    outs: [last]\n    meta: {cpus: 2, mem_mb: 100, minutes: 5}\n")

    output = diamond.snakemake(
        "--profile", "profiles/slurm", "--slurm-status-command", "squeue",
        "--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2",
    )  # fmt: skip

    jobs = subprocess.run(["scontrol", "show", "job", "-o"], capture_output=True, text=True, check=True).stdout
    found = {}
    for job in jobs.splitlines():
        field = dict(re.findall(r"(\S+?)=(\S+)", job))
        assert field["JobState"] == "COMPLETED", job
        name = re.search(r"_(\w+)/\d+\.log", field["StdOut"])[1].rpartition("_")[2]
        found[name] = (field["TimeLimit"], field["TRES"], field.get("TresPerJob"))
    assert found == {
        "first": ("01:00:00", "cpu=1,mem=1000M,node=1,billing=1", None),
        "left": ("00:07:00", "cpu=1,mem=300M,node=1,billing=1", "gres:gpu:1"),
        "right": ("00:06:00", "cpu=1,mem=200M,node=1,billing=1", "gres:gpu:1"),
        "last": ("00:05:00", "cpu=2,mem=100M,node=1,billing=2", None),
    }, output
    spans = sorted(diamond.spans()[name] for name in ("left", "right"))
    assert spans[0][1] < spans[1][0]  # one GPU
    built = diamond.read("dvc.lock")
    (diamond.path / "dvc.lock").unlink()
    for name in ("first", "left", "right", "last"):
        (diamond.path / name).unlink()
    diamond.repro("-f")
    assert sorted(built.splitlines()) == sorted(diamond.read("dvc.lock").splitlines())
