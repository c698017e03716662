"""A small DVC project with every kind of artifact and input, built in seconds by stages without the harness.

raw.txt (git) ─ parts/ (a folder) ─┬─ results/whole.txt ─ results/ ─ count.json (in git, not in DVC's cache)
more.txt (dvc add) ────────────────┘
weights.py (git) ─ model/ (safetensors and JSON) ─ copied.json
    noise.txt beside the project is an undeclared input of model/
"""

import contextlib
import os
import subprocess
from pathlib import Path

from modelmake.dvc import graph
from tests.conftest import Project

DVC_YAML = """
stages:
  parts:
    cmd: mkdir -p parts/deep && head -n ${lines} raw.txt > parts/head.txt && tail -n 3 raw.txt > parts/deep/tail.txt
    deps: [raw.txt]
    params: [lines]
    outs: [parts]
  whole:
    cmd: cat parts/head.txt more.txt > results/whole.txt
    deps: [parts/head.txt, more.txt]
    outs: [results/whole.txt]
  count:
    cmd: wc -c < results/whole.txt > count.json
    deps: [results]
    metrics:
    - count.json: {cache: false}
  model:
    cmd: python weights.py
    deps: [weights.py]
    outs: [model]
  copied:
    cmd: cp model/config.json copied.json
    deps: [model]
    outs: [copied.json]
"""
WEIGHTS = """
import json
from pathlib import Path
import numpy
from safetensors.numpy import save_file
noise = Path("../noise.txt")
step = float(noise.read_text()) if noise.exists() else 0.0
Path("model").mkdir()
save_file({"a": numpy.ones((2, 3), "float32") + numpy.float32(step), "b": numpy.arange(4)}, "model/m.safetensors")
Path("model/config.json").write_text(json.dumps({"loss": 1.5 + 2 * step, "kind": "small"}))
"""


CONFIG = """
[core]
    analytics = false
    remote = store
[cache]
    type = "reflink,hardlink,symlink,copy"
['remote "store"']
    url = ../../store
    verify = true
"""


def build(folder: Path) -> Project:
    """The project in `folder/project`: built, committed, and pushed to the folder `store` beside it."""
    path = folder / "project"
    project = Project(path)
    for name, text in {
        "dvc.yaml": DVC_YAML, "weights.py": WEIGHTS, "params.yaml": "lines: 5\n", "results/.gitignore": "",
        "raw.txt": "".join(f"row {n}\n" for n in range(9)), "more.txt": "more\n",
        ".dvc/config": CONFIG, ".dvcignore": "*.tmp\n", ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
    }.items():  # fmt: skip
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        project.write(name, text)
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=path, check=True)
    for command in ("add more.txt", "repro", "push"):
        dvc(project, *command.split())
    commit(project)
    return project


def dvc(project: Project, *arguments: str) -> None:
    """Runs a DVC command in this process: starting another takes seconds."""
    from dvc.cli import main

    with contextlib.chdir(project.path):
        assert main([*arguments, "-q"]) == 0


def commit(project: Project) -> None:
    for command in (["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "built"]):
        subprocess.run(["git", *command], cwd=project.path, check=True)


def copy(project: Project, folder: Path) -> Project:
    """A copy of the project and its store; hard links are kept, and DVC has hashed every file."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", str(project.path), str(project.path.parent / "store"), str(folder)], check=True)
    assert graph.stale(folder / "project") == {}
    return Project(folder / "project")


def flip(path: Path) -> None:
    """Changes one bit in the middle of a file; size, time, mode and inode stay, so that DVC does not see it."""
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    put(path, bytes(content), status)


def put(path: Path, content: bytes, like: os.stat_result) -> None:
    """Overwrites a file in place and sets its mode and times back to those of `like`."""
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()
    path.chmod(like.st_mode & 0o7777)
    os.utime(path, ns=(like.st_atime_ns, like.st_mtime_ns))


def fresh_clone(project: Project, name: str) -> Project:
    """A git clone beside the project, which has the same store."""
    path = project.path.with_name(name)
    subprocess.run(["git", "clone", "-q", str(project.path), str(path)], check=True)
    return Project(path)
