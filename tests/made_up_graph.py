"""A graph of one-line commands in a folder of its own, built by `dvc repro`; and what became of a plan of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from modelmake.planning.forecast import CHECKOUT, FRESH, MAY, RECORD, RESTORE, WILL
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
    """What a `dvc repro` prints that succeeds."""
    done = run(root, "dvc", "repro")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write(root: Path) -> None:
    """The graph, built, and committed with its keys."""
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


def log(root: Path, stage: str, **facts: object) -> None:
    """A line of the run log, as the harness writes it."""
    file = root / ".dvc/cache/modelmake/runs.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as runs:
        runs.write(json.dumps({"stage": stage, "outcome": "done", "seconds": 1.0, "peak_mib": 1, **facts}) + "\n")


def outcomes(output: str) -> dict[str, str]:
    """{stage: what a `dvc repro` did with it}."""
    did = {
        "Running stage '": "ran",
        "Verifying data sources in stage: '": "recorded",
        "Verifying outputs in frozen stage: '": "recorded",
    }
    found = {}
    for line in output.splitlines():
        for start, word in did.items():
            if line.startswith(start):
                found[line.split("'")[1]] = word
        if line.startswith("Stage '") and " is cached - skipping run" in line:
            found[line.split("'")[1]] = "restored"
    return found


KEPT = "finished before"
ALLOWED = {
    WILL: {"ran"},
    MAY: {"ran", "restored", "skipped"},
    RESTORE: {"restored"},
    CHECKOUT: {"restored"},
    RECORD: {"recorded"},
    FRESH: {"skipped"},
}


def broken(steps: list[Step], output: str) -> list[str]:
    """What a plan said that the `dvc repro` after it did not do; empty where it held."""
    did, said = outcomes(output), {step.stage: step.status for step in steps}
    allowed = {step.stage: ALLOWED[step.status] for step in steps}
    # DVC runs a stage whose work is kept; its harness only publishes that
    allowed |= {step.stage: {"ran"} for step in steps if any(why.startswith(KEPT) for why in step.reasons)}
    return [
        f"{stage}: {said.get(stage, FRESH)}, but {did.get(stage, 'skipped')}"
        for stage in said | did
        if did.get(stage, "skipped") not in allowed.get(stage, {"skipped"})
    ]
