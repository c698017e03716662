"""Small projects: one stage in the real harness, a built DVC project, a built graph."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modelmake.keys import stage_key
from tests import conftest, made_up_graph
from tests.modelmake import small_build

ROOT = Path(__file__).parents[2]
HEAD = """
import time
from pathlib import Path
from typing import ClassVar

from modelmake import harness
from modelmake.errors import UserError
from modelmake.params import Params
from modelmake.signature import In, Out


class Shout(Params):
    section: ClassVar[str] = "shout"

    mark: str
{methods}

def wait_for(name: str) -> None:
    root = Path(__file__).parents[1]
    (root / "waiting").touch()
    while not (root / name).exists():
        time.sleep(0.02)


def main(source: In, loud: Out, params: Shout) -> str:
{body}


if __name__ == "__main__":
    harness.run(main)
"""


BEGINNING = """
from modelmake.running import own_code
own_code.import_by_content()
from modelmake.running import opened_files
opened_files.watch()
"""
SHOUT = "loud.write_text(source.read_text().upper() + params.mark)\nreturn '1 row'"
SHOUT_SLOWLY = "loud.write_text(source.read_text().upper() + params.mark)\nwait_for('go')\nreturn '1 row'"


@dataclass(frozen=True)
class StageProject:
    """A folder with `modelmake`, a stage `shout`, `params.yaml` and one input."""

    root: Path

    def write_stage(self, body: str, methods: str = "") -> None:
        indented = "\n".join(f"    {line}" for line in body.splitlines())
        (self.root / "stages/shout.py").write_text(HEAD.format(body=indented, methods=methods))

    def write_key(self) -> None:
        """Writes the key that preflight would write now."""
        key = stage_key.compute(self.root, "stages.shout")
        (self.root / "keys").mkdir(exist_ok=True)
        (self.root / "keys/shout.json").write_text(stage_key.to_json(key))

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "stages.shout", "--source", "source.txt", "--loud", "made/loud.txt"]

    def start(self, dvc_stage: str = "") -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if name not in ("DVC_STAGE", "PYTHONPATH")}
        environment |= {"DVC_STAGE": dvc_stage} if dvc_stage else {}
        return subprocess.Popen(
            self.command, cwd=self.root, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def run(self, dvc_stage: str = "", meanwhile: Callable[[], Any] | None = None) -> tuple[int, str, str]:
        """(exit code, stdout, stderr) of the stage; `meanwhile` is called while it waits for the file `go`."""
        process = self.start(dvc_stage)
        if meanwhile is not None:
            wait_until(lambda: (self.root / "waiting").exists() or process.poll() is not None)
            meanwhile()
            (self.root / "go").touch()
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err

    def published(self) -> dict[str, str]:
        """The files in the folder of the output, temporary ones too."""
        folder = self.root / "made"
        return {p.name: p.read_text() for p in sorted(folder.iterdir())} if folder.exists() else {}

    def log(self) -> list[dict[str, Any]]:
        lines = (self.root / ".dvc/cache/modelmake/runs.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


def wait_until(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"not within {timeout_s} s"
        time.sleep(0.02)


@pytest.fixture
def project(tmp_path: Path) -> StageProject:
    """A project with the real harness and a stage that each test writes."""
    shutil.copytree(ROOT / "modelmake", tmp_path / "modelmake", ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("uv.lock", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path)
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/__init__.py").write_text(BEGINNING)
    (tmp_path / ".python-version").write_text("3.11\n")
    (tmp_path / "params.yaml").write_text("shout: {mark: '!'}\nother: {mark: '?'}\n")
    (tmp_path / "source.txt").write_text("rows")
    return StageProject(tmp_path)


@pytest.fixture(scope="module")
def small_original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[conftest.Project]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("small")
        patch.setenv("DVC_SITE_CACHE_DIR", str(folder / "site"))
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        yield small_build.build(folder)


@pytest.fixture
def small_project(small_original: conftest.Project, tmp_path: Path) -> conftest.Project:
    """`small_build`, committed, pushed to the folder `store` beside it, and up to date for DVC."""
    return small_build.copy(small_original, tmp_path)


@pytest.fixture(scope="module")
def graph_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("graph")
    made_up_graph.write(root)
    return root


@pytest.fixture
def root(graph_original: Path, tmp_path: Path) -> Path:
    """A copy of `made_up_graph`, built, to spoil."""
    return shutil.copytree(graph_original, tmp_path / "graph", symlinks=True)
