"""The cost of keys and harness: a build in which nothing is stale, and CPU time of each stage outside its own work.

The tiny project is built. A second project has the same graph without keys, with the command `true` for every stage and
the same files as outputs. Both are built again in turn, with nothing to do. The harness's CPU seconds of a stage are in
the run log: the time of its process without its own modules, their imports, and its `main`.

    python benchmarks/overhead.py [--repeats 9] [--json]
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from modelmake.dvc import graph
from modelmake.keys import key_file
from modelmake.running import run_log
from tests.conftest import Project, ran, tiny


def trivial(project: Project, path: Path) -> Project:
    """A project with the same graph and files, without preflight and keys, whose commands do nothing."""
    shutil.copytree(project.path, path, symlinks=True)
    stages: dict[str, Any] = {}
    for name, stage in graph.stages(project.path).items():
        if name != "preflight":
            deps = [dep for dep in stage.deps if not dep.startswith(f"{key_file.FOLDER}/")]
            outs = [{out: {"cache": False}} for out in stage.outs]
            stages[name.replace("@", "-")] = {"cmd": "true", "deps": deps, "params": list(stage.params), "outs": outs}
    (path / "dvc.yaml").write_text(json.dumps({"stages": stages}))
    (path / "dvc.lock").unlink()
    copy = Project(path)
    for command in (("dvc", "commit", "-f", "-q"), ("dvc", "repro", "-q")):
        code, output = copy.run(*command)
        assert code == 0, output
    return copy


def no_op(project: Project) -> tuple[float, float]:
    """(wall, CPU) seconds of a `dvc repro` with nothing to do."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    output = project.repro()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert not ran(output) and "up to date" in output, output
    return time.monotonic() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DVC_SITE_CACHE_DIR"] = f"{folder}/site"
        project = tiny(Path(folder).resolve() / "ours")
        project.repro()
        plain = trivial(project, Path(folder).resolve() / "trivial")
        runs = run_log.read(project.path)
        subprocess.run(["git", "add", "-A"], cwd=project.path, check=True)
        timed = [(no_op(project), no_op(plain)) for _ in range(arguments.repeats)]
    wall, wall_trivial = (statistics.median(pair[i][0] for pair in timed) for i in (0, 1))
    cpu, cpu_trivial = (statistics.median(pair[i][1] for pair in timed) for i in (0, 1))
    harness = {run["stage"]: run["harness_cpu_seconds"] for run in runs}
    result = {
        "no_op_s": round(wall, 3), "trivial_s": round(wall_trivial, 3), "ratio": round(wall / wall_trivial, 3),
        "cpu_ratio": round(cpu / cpu_trivial, 3), "harness_cpu_s": harness, "harness_cpu_max_s": max(harness.values()),
    }  # fmt: skip
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"no-op dvc repro   {wall:.2f} s; trivial stages without keys {wall_trivial:.2f} s; ratio {result['ratio']}")
    for name, seconds in harness.items():
        print(f"{name:24} {seconds:.2f} CPU-s in the harness")


if __name__ == "__main__":
    main()
