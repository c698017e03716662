"""A project in a temporary folder, built by the graph's own commands."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
# Hundreds of processes start here: compiling torch, peft and TRL at each would take most of the time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# What is wrong fails a test, not a busy machine, and not by chance: benchmarks/fuzz_formats.py searches further.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.load_profile("steady")
RAW_ROWS = 250  # of each raw file, in projects that are built tiny


class Project:
    """A clone that tests may spoil."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Starts a command of this virtual environment, in a process group of its own."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "SHELL": "/bin/sh"}
        environment.pop("DVC_STAGE", None)
        return subprocess.Popen(
            command, cwd=self.path, env=environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, *command: str) -> tuple[int, str]:
        """(exit code, stdout and stderr) of a command."""
        process = self.start(*command)
        output, _ = process.communicate(timeout=900)
        return process.returncode, output

    def repro(self, *arguments: str) -> str:
        """The output of a `dvc repro` that succeeds."""
        code, output = self.run("dvc", "repro", *arguments)
        assert code == 0, output
        return output

    def init(self, recipe: str) -> None:
        """Writes the params.yaml of a recipe."""
        code, output = self.run("python", "-m", "stages.cli", "init", "--recipe", recipe)
        assert code == 0, output

    def read(self, path: str) -> str:
        return (self.path / path).read_text("utf-8")

    def json(self, path: str) -> dict:
        return json.loads(self.read(path))

    def write(self, path: str, text: str) -> None:
        (self.path / path).write_text(text, "utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replaces text that must be there, once or more."""
        text = self.read(path)
        assert old in text, f"{path} has no {old!r}"
        self.write(path, text.replace(old, new))


def ran(output: str) -> list[str]:
    """The stages that a `dvc repro` ran, in order."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")]


def clone(path: Path) -> Project:
    """The project's own files, as they are in the working tree, in a git repository of their own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, path / name)
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "t"],
    ):
        subprocess.run(["git", *command], cwd=path, check=True, stdout=subprocess.DEVNULL)
    return Project(path)


def tiny(path: Path) -> Project:
    """A clone with recipes/tiny.yaml and the first rows of every raw file."""
    project = clone(path)
    (path / "dvc.lock").unlink()
    project.init("tiny")
    project.edit("params.yaml", "min_rows: 100", "min_rows: 10")
    for file in (path / "data/raw").iterdir():
        lines = file.read_text("utf-8").split("\n")
        if file.suffix == ".json":
            kept = [*lines[:RAW_ROWS], lines[RAW_ROWS].rstrip(","), "]"]
        elif file.suffix == ".txt":
            kept = list(itertools.islice(lines, 2 * RAW_ROWS))
        else:
            kept = lines[:RAW_ROWS]
        file.write_text("\n".join(kept) + "\n", "utf-8")
    return project


@pytest.fixture(scope="session")
def default(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project as it is, built (minutes); tests must not change it."""
    project = clone(tmp_path_factory.mktemp("default"))
    project.repro()
    return project


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A tiny project, built; tests must not change it."""
    project = tiny(tmp_path_factory.mktemp("built"))
    project.repro()
    return project


@pytest.fixture
def project(built: Project, tmp_path: Path) -> Project:
    """A copy of the built tiny project, to spoil."""
    shutil.copytree(built.path, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of llama.cpp on a free port of loopback, serving a tiny model that knows some answers."""
    from stages.evaluating.runtimes import llama_cpp
    from tests.augmenting import endpoints

    server = llama_cpp._start(endpoints.model(tmp_path_factory.mktemp("taught")), threads=1, context_tokens=256)
    yield server.listening_address
    del server
