"""A stage in several processes: all run the same `main` in one sandbox, are checked alike, and end together."""

import os
import signal

import psutil
import pytest

from modelmake.running import launcher
from tests.modelmake.conftest import StageProject, wait_until

WRITES = """from modelmake.running import workers
worker = workers.mine()
Path("told").mkdir(exist_ok=True)
(Path("told") / str(worker.rank)).write_text(f"{worker.processes} {source.read_text()}")
"""
FIRST_ENDS = """
while len(list(Path("told").iterdir())) < 2:
    time.sleep(0.02)
if worker.rank == 0:
    loud.write_text(" | ".join(f"{p.name} of {p.read_text()}" for p in sorted(Path("told").iterdir())))
return f"process {worker.rank}"
"""
ALL_WAIT = """
(Path(__file__).parents[1] / f"pid{worker.rank}").write_text(f"{os.getpid()} ")
time.sleep(60)
return ''
"""


def write(project: StageProject, body: str, processes: int = 2) -> None:
    project.write_stage("import os\n" + WRITES + body, methods="    processes: int\n")
    (project.root / "params.yaml").write_text(f"shout: {{mark: '!', processes: {processes}}}\n")


def pids(project: StageProject) -> list[int]:
    """Of both processes, once they work."""
    files = [project.root / f"pid{rank}" for rank in (0, 1)]
    wait_until(lambda: all(file.exists() and file.read_text().endswith(" ") for file in files))
    return [int(file.read_text()) for file in files]


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_every_process_runs_main_in_the_same_sandbox_and_the_first_gives_the_line(project: StageProject) -> None:
    write(project, FIRST_ENDS)

    assert project.run() == (0, "stages.shout: process 0\n", "")
    assert project.published() == {"loud.txt": "0 of 2 rows | 1 of 2 rows"}
    assert len(project.log()) == 1


def test_an_error_in_any_process_is_one_line_and_ends_all(project: StageProject) -> None:
    write(project, "if worker.rank == 1:\n    raise UserError('row 3: found 1: want 2')\ntime.sleep(60)\nreturn ''")

    assert project.run() == (1, "", "row 3: found 1: want 2\n")
    assert project.published() == {}


def test_a_bug_in_any_process_shows_its_traceback(project: StageProject) -> None:
    write(project, "if worker.rank == 1:\n    raise ValueError('a bug')\ntime.sleep(60)\nreturn ''")

    code, out, err = project.run()

    assert (code, out) == (1, "")
    assert "ValueError: a bug\nstages.shout: one of its 2 processes failed" in err


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_is_killed_ends_the_stage_with_one_line(project: StageProject, rank: int) -> None:
    write(project, ALL_WAIT)
    process = project.start()

    both = pids(project)
    os.kill(both[rank], signal.SIGKILL)
    out, err = process.communicate(timeout=30)

    assert (process.returncode, out) == (1, "")
    assert err == (
        f"stages.shout: process {rank + 1} of 2 was ended by SIGKILL: nothing published; `dvc repro` goes on from the "
        "last checkpoint\n"
    )
    assert all(map(gone, both))


def test_the_processes_end_with_the_one_that_started_them(project: StageProject) -> None:
    write(project, ALL_WAIT)
    process = project.start()

    both = pids(project)
    process.kill()
    process.communicate()

    wait_until(lambda: all(map(gone, both)))


def test_a_module_that_one_process_alone_loads_is_seen(project: StageProject) -> None:
    (project.root / "stages/hidden.py").write_text("X = 1\n")
    write(
        project, "import importlib\nif worker.rank == 1:\n    importlib.import_module('stages.' + 'hidden')\nreturn ''"
    )
    # `import_module` of a computed name takes every loaded module; this one is loaded by the second process only

    code, _, err = project.run()

    assert code == 1
    assert "ran stages.hidden, which its key does not cover" in err


def test_a_file_that_one_process_alone_reads_is_seen(project: StageProject) -> None:
    (project.root / "secret.txt").write_text("x")
    path = "Path(__file__).parents[1].joinpath('sec' + 'ret.txt')"
    write(project, f"if worker.rank == 1:\n    {path}.read_text()\nreturn ''")

    code, _, err = project.run()

    assert code == 1
    assert "read secret.txt, which is neither an input nor in its key" in err


def test_parameters_that_change_while_the_processes_start_are_refused(project: StageProject) -> None:
    write(project, FIRST_ENDS)
    (project.root / "stages/shout.py").write_text(
        (project.root / "stages/shout.py").read_text().replace(
            "from modelmake import harness\n",
            "import os, time\nfrom modelmake import harness\nif 'MODELMAKE_WORKER' in os.environ:\n"
            "    (Path(__file__).parents[1] / 'waiting').touch()\n"
            "    while not (Path(__file__).parents[1] / 'go').exists():\n        time.sleep(0.02)\n",
        )
    )  # fmt: skip
    changed = project.root / "params.yaml"

    code, _, err = project.run(meanwhile=lambda: changed.write_text("shout: {mark: '?', processes: 2}\n"))

    assert code == 1
    assert err == "stages.shout: it changed while it started: nothing published; run `dvc repro` again\n"


def test_slurm_starts_them_on_several_nodes_or_with_a_task_for_each() -> None:
    job = {"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "1", "SLURM_NTASKS": "1"}

    assert not launcher.by_srun(2, {})
    assert not launcher.by_srun(2, job)
    assert launcher.by_srun(2, job | {"SLURM_NTASKS": "2"})
    assert launcher.by_srun(2, job | {"SLURM_JOB_NUM_NODES": "2"})
    assert not launcher.by_srun(4, job | {"SLURM_NTASKS": "2"})
