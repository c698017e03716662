"""A small DVC project of trivial stages under the project's own Snakefile.

     in
     │
   first
   ╱   ╲
left   right
   ╲   ╱
    last
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT, Project

STEP = """
name=$1; seconds=$2; shift 2
echo "$name start $(date +%s%N)" >> steps
cat "$@" | head -c 1 > $name
sleep $seconds
echo "$name end $(date +%s%N)" >> steps
"""
DVC_YAML = """
stages:
  first:
    cmd: sh step first 0 in
    deps: [in]
    outs: [first]
  left:
    cmd: sh step left 3 first
    deps: [first]
    outs: [left]
    meta: {mem_mb: 300, minutes: 7, gpu: 1}
  right:
    cmd: sh step right 3 first
    deps: [first]
    outs: [right]
    meta: {mem_mb: 200, minutes: 6, gpu: 1}
  last:
    cmd: sh step last 0 left right
    deps: [left, right]
    outs: [last]
"""


class Diamond(Project):
    def ran(self) -> list[str]:
        """The stages that started since they were last asked for, in order."""
        steps = self.path / "steps"
        names = [line.split()[0] for line in steps.read_text().splitlines() if " start " in line]
        steps.write_text("")
        return names

    def spans(self) -> dict[str, tuple[int, int]]:
        """When each stage started and ended, ns."""
        lines = [line.split() for line in self.read("steps").splitlines()]
        starts, ends = ({n: int(t) for n, kind, t in lines if kind == wanted} for wanted in ("start", "end"))
        return {name: (starts[name], ends[name]) for name in starts}

    def snakemake(self, *arguments: str) -> str:
        """The output of a `snakemake` that succeeds."""
        code, output = self.run("snakemake", *arguments)
        assert code == 0, output
        return output


def make(path: Path) -> Diamond:
    project = Diamond(path)
    project.path.mkdir()
    shutil.copy(ROOT / "Snakefile", project.path)
    shutil.copytree(ROOT / "profiles", project.path / "profiles")
    (project.path / "modelmake").symlink_to(ROOT / "modelmake")
    subprocess.run(["git", "init", "-q"], cwd=project.path, check=True)
    assert project.run("dvc", "init", "-q")[0] == 0
    for name, text in {"step": STEP, "dvc.yaml": DVC_YAML, "in": "abc\n", "steps": ""}.items():
        project.write(name, text)
    return project


@pytest.fixture
def diamond(tmp_path: Path) -> Diamond:
    """Nothing built yet; left and right take 3 s."""
    return make(tmp_path / "diamond")


@pytest.fixture(scope="session")
def up_to_date(tmp_path_factory: pytest.TempPathFactory) -> Diamond:
    project = make(tmp_path_factory.mktemp("snakefile") / "diamond")
    project.edit("dvc.yaml", " 3 first", " 0 first")
    project.repro()
    assert project.ran() == ["first", "left", "right", "last"]
    return project


@pytest.fixture
def built_diamond(up_to_date: Diamond, tmp_path: Path) -> Diamond:
    """Up to date by `dvc repro`; every stage takes no time."""
    shutil.copytree(up_to_date.path, tmp_path / "diamond", symlinks=True)
    return Diamond(tmp_path / "diamond")
