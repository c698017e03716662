"""Projects in temporary folders, built by the graph's own commands; and how tests share two cores."""

import fcntl
import importlib
import itertools
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from modelmake.running import threads

ROOT = Path(__file__).resolve().parent.parent
# Hundreds of processes start here: compiling torch, peft and TRL at each would take most of the time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Workers inherit what the main process has set, so it tells them what the shell has.
SHELL_VARIABLES = frozenset(os.environ.setdefault("SHELL_VARIABLES", " ".join(os.environ)).split())
threads.limit(1)  # as in stages: two threads of torch wait for each other for minutes on a busy machine
importlib.import_module("stages")  # which sets variables too
SET_HERE = frozenset(os.environ) - SHELL_VARIABLES  # a build must set them by itself
# What is wrong fails a test, not a busy machine, and not by chance: benchmarks/fuzz_formats.py searches further.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.load_profile("steady")
RAW_ROWS = 250  # of each raw file, in projects that are built tiny


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two workers; none if only files or tests are named, where starting workers takes longer than it saves."""
    return 0 if all(".py" in argument for argument in config.args) else 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of builds come first, of the longest at both ends: one worker starts there, the other in the middle."""

    def place(item: pytest.Item) -> tuple[bool, ...]:
        names = getattr(item, "fixturenames", ())
        return "watched" in names, "default" not in names, "built" not in names

    items.sort(key=place)


class Project:
    """A clone that tests may spoil."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Starts a command of this virtual environment, in a process group of its own."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {name: value for name, value in os.environ.items() if name not in {*SET_HERE, "DVC_STAGE"}}
        environment = {**kept, "PATH": path, "SHELL": "/bin/sh"}
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

    def copy(self, path: Path) -> "Project":
        """A copy to spoil. Read-only files (objects of git and of DVC's cache) are hard links: replace, never edit."""

        def link_or_copy(source: str, target: str) -> None:
            writable = os.lstat(source).st_mode & stat.S_IWUSR
            (shutil.copy2 if writable else os.link)(source, target)

        return Project(shutil.copytree(self.path, path, symlinks=True, copy_function=link_or_copy))

    def init(self, recipe: str) -> None:
        """Writes the params.yaml of a recipe."""
        code, output = self.run("python", "-m", "stages.commands.cli", "init", "--recipe", recipe)
        assert code == 0, output

    def read(self, path: str) -> str:
        return (self.path / path).read_text("utf-8")

    def json(self, path: str) -> dict:
        return json.loads(self.read(path))

    def write(self, path: str, text: str) -> None:
        (self.path / path).unlink(missing_ok=True)  # it may be a hard link into the build that it was copied from
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
            shutil.copy2(ROOT / name, path / name)
    for file in ROOT.glob("stages/**/__pycache__/*.nb?"):  # compiled by numba in ten seconds, for sources of that time
        (path / file.relative_to(ROOT)).parent.mkdir(exist_ok=True)
        shutil.copy2(file, path / file.relative_to(ROOT))
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


def build_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Project:
    """A project that the first worker to need it builds in an empty folder; the others wait for it."""
    temporary = factory.getbasetemp()
    shared = temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary
    folder, built = shared / name, shared / f"{name}.built"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a worker whose build failed
            folder.mkdir()
            build(folder)
            built.touch()
    return Project(folder)


@pytest.fixture(scope="session")
def default(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project as it is, built (minutes); tests must not change it."""
    return build_once(tmp_path_factory, "default", lambda folder: clone(folder).repro())


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A tiny project, built; tests must not change it."""
    return build_once(tmp_path_factory, "built", lambda folder: tiny(folder).repro())


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A tiny project, built by Snakemake with the calls of every stage recorded; tests must not change it."""
    from tests import watched_build

    return build_once(tmp_path_factory, "watched", watched_build.build)


@pytest.fixture
def project(built: Project, tmp_path: Path) -> Project:
    """A copy of the built tiny project, to spoil."""
    return built.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of llama.cpp on a free port of loopback, serving a tiny model that knows some answers."""
    from stages.evaluating.runtimes import llama_cpp
    from tests.augmenting import endpoints

    server = llama_cpp._start(endpoints.model(tmp_path_factory.mktemp("taught")), threads=1, context_tokens=256)
    yield server.listening_address
    del server


@pytest.fixture(scope="session")
def judge_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same, serving a tiny model that knows some verdicts of a judge."""
    from stages.evaluating.runtimes import llama_cpp
    from tests.augmenting import endpoints
    from tests.evaluating.judging import judges

    model = endpoints.model(tmp_path_factory.mktemp("judge"), judges.TAUGHT)
    server = llama_cpp._start(model, threads=1, context_tokens=256)
    yield server.listening_address
    del server
