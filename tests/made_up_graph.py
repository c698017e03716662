"""A graph of one-line commands in a folder of its own, built by `dvc repro`, and a check of plans against it."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from modelmake.planning import plan
from modelmake.planning.forecast import Status
from modelmake.planning.plan import Step

DVC_YAML = """
stages:
  preflight:
    cmd: python preflight.py --keys keys
    deps: [preflight.py, code, params.yaml]
    outs: [{keys: {cache: false}}]
  clean:
    cmd: grep -v ${clean.without} raw/rows.txt > cleaned.txt; cat raw/* | wc -l > count.txt
    deps: [keys/clean.json, raw]
    params: [clean]
    outs: [cleaned.txt, count.txt]
  split:
    cmd: mkdir split; head -n ${split.rows} cleaned.txt > split/train.txt; tail -n 1 cleaned.txt > split/test.txt
    deps: [cleaned.txt]
    params: [split.rows]
    outs: [split]
  train:
    foreach: ${train}
    do:
      cmd: mkdir -p models; sort ${item.flag} split/train.txt > models/${key}.txt
      deps: ["keys/train.${key}.json", split/train.txt]
      params: ["train.${key}"]
      outs: ["models/${key}.txt"]
      meta: {mem_mb: 1, gpu: 0}
  gather:
    cmd: cat models/*.txt > all.txt
    deps: [models]
    outs: [{all.txt: {cache: false}}]
  page:
    cmd: cat all.txt count.txt > page.txt
    deps: [all.txt, count.txt]
    outs: [page.txt]
"""
PARAMS = """
clean: {without: noise, note: {of: nothing}}
split: {rows: 3}
train:
  up: {flag: -n}
  down: {flag: -r}
"""
PREFLIGHT = """
import json, pathlib, sys

from ruamel.yaml import YAML

folder = pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
code = {path.stem: path.read_text() for path in pathlib.Path("code").glob("*.py")}
if "broken" in code.values():
    sys.exit("code/clean.py: broken: want what is whole")
train = YAML(typ="safe").load(pathlib.Path("params.yaml"))["train"]
for name in ["clean", *(f"train.{step}" for step in train)]:
    key = {"symbols": {name: {"": "1", "main": code[name.partition(".")[0]]}}, "packages": {"torch": code["torch"]}}
    (folder / f"{name}.json").write_text(json.dumps(key))
"""
FILES = {
    "dvc.yaml": DVC_YAML,
    "params.yaml": PARAMS,
    "preflight.py": PREFLIGHT,
    "code/clean.py": "drop",
    "code/train.py": "sort",
    "code/torch.py": "2.12.0",
    "raw/rows.txt": "5 a\n3 b\n9 noise\n4 c\n1 d\n",
    "raw/more.txt": "8 e\n",
    ".gitignore": "/models\n",
}


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def repro(root: Path) -> str:
    """The output of `dvc repro`, which has to succeed."""
    done = run(root, "dvc", "repro")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write(root: Path) -> None:
    """Writes the graph, builds it, and commits it with its keys."""
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for command in (
        ["git", "init", "-q"],
        ["dvc", "init", "-q"],
        ["dvc", "repro", "-q"],
        ["git", "add", "-A"],
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "t"],
    ):
        done = run(root, *command)
        assert done.returncode == 0, done.stdout + done.stderr


def edit(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text()
    assert old in text
    (root / path).write_text(text.replace(old, new))


def cached(root: Path, path: str) -> Path:
    """The object in the cache of a file in the workspace."""
    md5 = hashlib.md5((root / path).read_bytes()).hexdigest()
    return root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def log(root: Path, stage: str, **facts: object) -> None:
    """Adds a line to the run log, as the harness does."""
    file = root / ".dvc/cache/modelmake/runs.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as runs:
        runs.write(json.dumps({"stage": stage, "outcome": "done", "seconds": 1.0, "peak_mib": 1, **facts}) + "\n")


def add_data(root: Path) -> None:
    """Puts `raw` under `dvc add`, out of git."""
    for command in (
        ["git", "rm", "-rq", "--cached", "--ignore-unmatch", "raw"],
        ["dvc", "add", "-q", "raw"],
        ["dvc", "repro", "-q"],
    ):
        done = run(root, *command)
        assert done.returncode == 0, done.stderr


class Plan:
    """The plan of a graph: {stage: status} of what is not fresh, and {stage: reasons}."""

    def __init__(self, root: Path) -> None:
        self.steps = plan.plan(root)
        self.statuses = {step.stage: step.status for step in self.steps if step.status != Status.FRESH}
        self.reasons = {step.stage: step.reasons for step in self.steps}


def outcomes(output: str) -> dict[str, str]:
    """{stage: ran, recorded or restored} by the output of `dvc repro`."""
    starts = {
        "Running stage '": "ran",
        "Verifying data sources in stage: '": "recorded",
        "Verifying outputs in frozen stage: '": "recorded",
    }
    result = {}
    for line in output.splitlines():
        for start, outcome in starts.items():
            if line.startswith(start):
                result[line.split("'")[1]] = outcome
        if line.startswith("Stage '") and " is cached - skipping run" in line:
            result[line.split("'")[1]] = "restored"
    return result


FINISHED = "finished before"  # start of a reason
ALLOWED = {  # {status: outcomes}
    Status.WILL_RUN: {"ran"},
    Status.MAY_RUN: {"ran", "restored", "skipped"},
    Status.RESTORE: {"restored"},
    Status.CHECKOUT: {"restored"},
    Status.RECORD: {"recorded"},
    Status.FRESH: {"skipped"},
}


def wrong_forecasts(steps: list[Step], output: str) -> list[str]:
    """The stages of a plan whose outcome in the `dvc repro` after it was another, in words."""
    actual, forecast = outcomes(output), {step.stage: step.status for step in steps}
    allowed = {step.stage: ALLOWED[step.status] for step in steps}
    # DVC runs a stage whose finished work is kept; its harness only publishes that
    allowed |= {step.stage: {"ran"} for step in steps if any(reason.startswith(FINISHED) for reason in step.reasons)}
    return [
        f"{stage}: {forecast.get(stage, Status.FRESH)}, but {actual.get(stage, 'skipped')}"
        for stage in forecast | actual
        if actual.get(stage, "skipped") not in allowed.get(stage, {"skipped"})
    ]
