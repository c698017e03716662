"""The tools that benchmarks/staleness.py compares: how each is set up on a built project, and how it builds."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from benchmarks import staleness_replay
from modelmake import params
from modelmake.dvc import graph
from tests.conftest import Project

HERE = Path(__file__).resolve().parent
CHOSEN = {  # stage: the module that an item selects from a table of modules
    "train": "stages/training/methods/${item.method}.py",
    "quantize": "stages/exporting/quantizers/${item.tool}.py",
}
TRIES = 4  # runs of a tool; in between, the commands in its message are run
RUN = re.compile(r"`((?:rm|dvc|modelmake) [^`]+)`")
CACHED = re.compile(r"Stage '(\S+)' is cached - skipping run")


@dataclass
class Build:
    """A project and the tool that builds it. benchmarks/staleness_replay.py logs each run of a stage."""

    project: Project
    tool: str
    work: Path  # shared by all builds: the store of outputs, graphs by parameters, the `python` of stages
    outputs: list[str] = field(default_factory=list)  # of the tool, the last run last

    def __post_init__(self) -> None:
        python = self.work / "bin/python"
        if not python.exists():
            python.parent.mkdir(parents=True)
            python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE / "staleness_replay.py"}" "$@"\n')
            python.chmod(0o755)

    @property
    def log(self) -> Path:
        return self.project.path.with_suffix(".log")

    @property
    def edited(self) -> bool:
        """True if the edit that is made while a stage runs has been made."""
        return self.log.with_suffix(".edited").exists()

    def runs(self) -> list[dict[str, Any]]:
        """{stage, after: began after the edit, done: succeeded, taken: published without running} in order."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def restored(self) -> set[str]:
        """Stages restored from DVC's run-cache or from modelmake's store of finished outputs."""
        cached = {name for output in self.outputs for name in re.findall(CACHED, output)}
        return cached | {run["stage"] for run in self.runs() if run["taken"]}

    def forget(self) -> None:
        """Clears the log and the outputs."""
        self.log.unlink(missing_ok=True)
        self.log.with_suffix(".edited").unlink(missing_ok=True)
        self.outputs.clear()

    def build(self, command: list[str], during: str = "", apply: list[str] | None = None) -> str:
        """Runs the tool; if it fails, runs the commands in its message and tries again. Returns the last error."""
        for _ in range(TRIES):
            code, output = self.run(command, during, apply)
            self.outputs.append(output)
            if code == 0:
                return ""
            if during and self.edited:
                return ""  # stopped by the edit: the next build continues
            mends = [mend for mend in dict.fromkeys(RUN.findall(output)) if mend != "dvc repro"]
            if not mends and "run `dvc repro` again" not in output:
                break
            for mend in mends:
                self.run(shlex.split(mend))
        return output[-600:]

    def verify(self) -> tuple[list[str], str]:
        """(commands that `modelmake verify` prints, without `dvc repro`; its error)."""
        code, output = self.run([sys.executable, "-m", "stages.commands.cli", "verify", "--json"])
        if code not in (0, 1) or not output.startswith("{"):
            return [], f"verify: {output[-300:]}"
        return [mend for mend in json.loads(output)["mend"] if mend != "dvc repro"], ""

    def run(self, command: list[str], during: str = "", apply: list[str] | None = None) -> tuple[int, str]:
        settings = {
            "work": str(self.work), "store": str(self.work / "store"), "here": str(HERE), "log": str(self.log),
            "replay": self.tool != "modelmake", "inside": self.tool == "modelmake",
            "during": during, "apply": apply or [],
        }  # fmt: skip
        path = os.pathsep.join([str(self.work / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
        finished = subprocess.run(
            command, cwd=self.project.path, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=1800,
            env={**os.environ, "PATH": path, "STALENESS": json.dumps(settings), "SHELL": "/bin/sh",
                 "DVC_SITE_CACHE_DIR": str(self.work / "site")},
        )  # fmt: skip
        return finished.returncode, finished.stdout

    def copy(self, path: Path) -> "Build":
        """A copy of the build, with times and links of files."""
        subprocess.run(["cp", "-a", str(self.project.path), str(path)], check=True)
        return Build(Project(path), self.tool, self.work)


NO_KEYS = ("keys/graph.json", "keys/needs.json")  # what preflight writes beside the keys, for stages that read it


def dvc_graph(project: Project, code: Callable[[str], list[str]]) -> None:
    """Replaces the dependencies on keys in dvc.yaml by dependencies on code."""
    yaml = YAML(typ="safe", pure=True)
    values = yaml.load(project.read("dvc.yaml"))
    # In every tool preflight depends on the parameters, and the report on the graph that it draws.
    values["stages"]["preflight"]["deps"] = ["params.yaml"]
    for name, stage in values["stages"].items():
        entry = stage.get("do", stage)
        if name != "preflight":
            deps = [dep for dep in entry["deps"] if not dep.startswith("keys/") or dep in NO_KEYS]
            entry["deps"] = [*deps, *(dep for dep in code(name) if dep not in deps)]
    with (project.path / "dvc.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(values, file)
    (project.path / "dvc.lock").unlink(missing_ok=True)


def own_script(stage: str) -> list[str]:
    """The script that the command runs, as in DVC's documentation."""
    return [f"stages/{stage}.py"]


def folders(stage: str) -> list[str]:
    """The folders of code, as DVC's issues advise for scripts that import each other."""
    return ["stages", "modelmake"]


def closure(store: Path) -> Callable[[str], list[str]]:
    """Every module that a stage loaded at set-up, with a placeholder for a selected one, and the locks."""
    loaded: dict[str, set[str]] = {}
    for file in store.glob("*/*/trace.json"):
        trace = json.loads(file.read_bytes())
        loaded.setdefault(trace["stage"].partition("@")[0], set()).update(trace["modules"])

    def listed(stage: str) -> list[str]:
        chosen = [CHOSEN[stage]] if stage in CHOSEN else []
        tables = [str(Path(place).parent) for place in chosen]
        found = loaded.get(stage, ())  # of a stage without items at set-up, nothing is known
        others = [p for p in found if Path(p).name == "__init__.py" or str(Path(p).parent) not in tables]
        return [*sorted(others), *chosen, "uv.lock", ".python-version"]

    return listed


def snakefile(project: Project) -> None:
    shutil.copyfile(HERE / "staleness.smk", project.path / "Snakefile")
    shutil.rmtree(project.path / "profiles")  # of modelmake's Snakefile; here Snakemake's defaults are used
    (project.path / "dvc.lock").unlink(missing_ok=True)


def values(project: Project) -> dict[str, Any]:
    """params.yaml as DVC reads it."""
    return params.load(project.path / "params.yaml")


def described(project: Project, work: Path) -> Path:
    """The path of the graph of these parameters without its suffix: .json as the report reads it, or .stages."""
    return staleness_replay.described(work, values(project))


def note_graph(project: Project, work: Path) -> dict[str, graph.Stage]:
    """Writes the graph of a project with modelmake's dvc.yaml there; returns its stages without preflight."""
    stages, place = graph.stages(project.path), described(project, work)
    place.parent.mkdir(exist_ok=True)
    place.with_name(f"{place.name}.json").write_text(json.dumps(graph.described(stages), indent=1) + "\n")
    stages.pop("preflight")
    plain = {n: {"module": s.module, "cmd": s.cmd, "deps": s.deps, "outs": s.outs, "params": s.params}
             for n, s in stages.items()}  # fmt: skip
    place.with_name(f"{place.name}.stages").write_text(json.dumps(plain))
    return stages


DVC = [sys.executable, str(HERE / "staleness_dvc.py"), "repro"]
COMMANDS = {
    "modelmake": ["dvc", "repro"],
    "dvc_file_deps": DVC,
    "dvc_folder_deps": DVC,
    "dvc_listed_closure": DVC,
    "snakemake": ["snakemake", "--cores", "1"],
}


def set_up(base: Build, tool: str, path: Path) -> Build:
    """A rival's build of the same project, with outputs from the store."""
    build = base.copy(path)
    build.tool = tool
    code = {"dvc_file_deps": own_script, "dvc_folder_deps": folders}
    if tool == "snakemake":
        snakefile(build.project)
    else:
        dvc_graph(build.project, code[tool] if tool in code else closure(base.work / "store"))
    for folder in ("models", "data/splits", "data/calibration", "keys"):
        shutil.rmtree(build.project.path / folder)
    started = time.monotonic()
    if wrong := build.build(COMMANDS[tool]):
        raise RuntimeError(f"{tool}: cannot be set up: {wrong}")
    print(f"{tool}: set up in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return build
