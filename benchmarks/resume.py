"""Kills builds at random moments and compares the bytes of their artifacts with those of an undisturbed build.

A project with the tiny recipe and longer training is built undisturbed. Then, from nothing, `dvc repro` is started and
killed (SIGKILL) after a random time until a build is complete: dvc alone, its stage alone or both; while a stage
computes or writes, or while dvc caches. Every third build starts with another learning rate, which is set back after
its last kill, so that there are checkpoints of other parameters. A kill counts as identical if every artifact of the
build that it disturbed has the bytes of the undisturbed build.

    python benchmarks/resume.py [--kills 50] [--seed 1] [--json]
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))
from modelmake import artifacts
from modelmake.identity import of_lock
from modelmake.running import run_log
from tests.conftest import Project, tiny

KILLS_A_BUILD = 8
LONGEST_S = 25.0  # until a kill
WHOM = ("dvc", "stage", "both")
LONGER = {  # so that kills hit training and answering, not only the start of stages
    "max_steps: 5": "max_steps: 100",
    "num_train_epochs: 0.02": "num_train_epochs: 2",
    "num_train_epochs: 0.05": "num_train_epochs: 1",
    "batch_size: 64": "batch_size: 2",
}
RATE, OTHER_RATE = "learning_rate: 0.002", "learning_rate: 0.0021"


def artifact_md5s(project: Project) -> dict[str, str]:
    """{artifact: MD5} of the workspace, for every artifact in dvc.lock."""
    from ruamel.yaml import YAML

    stages = YAML(typ="safe").load(project.read("dvc.lock"))["stages"]
    return {
        o["path"]: artifacts.measure(project.path / o["path"]).md5 for s in stages.values() for o in s.get("outs", [])
    }


def processes(project: Project) -> list[psutil.Process]:
    """The processes that run in a project's folder."""
    running = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).is_relative_to(project.path):
                running.append(process)
        except (psutil.Error, OSError):
            continue
    return running


def kill(project: Project, dvc: subprocess.Popen, whom: str) -> None:
    chosen = [p for p in processes(project) if (p.pid == dvc.pid) == (whom == "dvc") or whom == "both"]
    for process in chosen:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue


def forget(project: Project) -> None:
    """Makes the project as it is in a fresh clone: nothing built, no cache."""
    for name in (".dvc/cache", ".dvc/tmp", "models", "keys", "dvc.lock"):
        path = project.path / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    subprocess.run(["git", "clean", "-qfdX", "data", "reports"], cwd=project.path, check=True)


def finish(project: Project) -> str:
    """The output of an undisturbed build."""
    code, output = project.run("dvc", "repro")
    if code:
        raise SystemExit(f"an undisturbed build failed:\n{output}")
    return output


def strays(project: Project) -> int:
    """The number of processes that outlive their dvc by more than two seconds."""
    end = time.monotonic() + 2
    while (left := processes(project)) and time.monotonic() < end:
        time.sleep(0.1)
    for process in left:
        process.kill()
    return len(left)


def disturbed(project: Project, rng: random.Random, kills: int) -> tuple[int, int, list[str]]:
    """(kills, strays, lines about resumed work) of one build, killed up to `kills` times and then left to end."""
    killed = orphans = 0
    resumed: list[str] = []
    while killed < kills:
        dvc = project.start("dvc", "repro")
        try:
            output, _ = dvc.communicate(timeout=rng.uniform(0.5, LONGEST_S))
        except subprocess.TimeoutExpired:
            kill(project, dvc, rng.choice(WHOM))
            output, _ = dvc.communicate()
            killed += 1
            orphans += strays(project)
        else:
            if dvc.returncode == 0:
                break
            raise SystemExit(f"an undisturbed build failed:\n{output}")
        resumed += re.findall(r"resumes .*", output)
    return killed, orphans, resumed


def foreign(project: Project) -> int:
    """The number of stages without a finished run of the identity that dvc.lock records."""
    from ruamel.yaml import YAML

    lock = YAML(typ="safe").load(project.read("dvc.lock"))["stages"]
    done = {(r["stage"], r.get("identity")) for r in run_log.read(project.path) if r["outcome"] in ("done", "taken")}
    return sum((name, of_lock(entry)) not in done for name, entry in lock.items() if name != "preflight")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DVC_SITE_CACHE_DIR"] = f"{folder}/site"
        project = tiny(Path(folder).resolve() / "project")
        for short, long in LONGER.items():
            project.edit("params.yaml", short, long)
        began = time.monotonic()
        finish(project)
        expected, alone_s = artifact_md5s(project), time.monotonic() - began
        result = {"kills": 0, "identical": 0, "orphans": 0, "foreign_checkpoints": 0}
        more = {"builds": 0, "resumed": 0, "undisturbed_s": round(alone_s, 1), "seed": arguments.seed}
        while result["kills"] < arguments.kills:
            forget(project)
            left = min(KILLS_A_BUILD, arguments.kills - result["kills"])
            other = more["builds"] % 3 == 2
            if other:
                project.edit("params.yaml", RATE, OTHER_RATE)
            killed, orphans, resumed = disturbed(project, rng, left)
            if other:
                project.edit("params.yaml", OTHER_RATE, RATE)
            finish(project)
            result["kills"] += killed
            result["identical"] += killed * (artifact_md5s(project) == expected)
            result["orphans"] += orphans
            result["foreign_checkpoints"] += foreign(project)
            more["builds"] += 1
            more["resumed"] += len(resumed)
            print(f"build {more['builds']}: {result} {resumed}", file=sys.stderr, flush=True)
    if arguments.json:
        print(json.dumps(result))
    else:
        for name, value in (result | more).items():
            print(f"{name:22} {value}")


if __name__ == "__main__":
    main()
