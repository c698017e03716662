"""Installed is what the project's environment has, also where `uv run --with X` extends it."""

import os
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from modelmake.running import library_folders
from tests.modelmake.conftest import SHOUT, StageProject


@dataclass(frozen=True)
class Extending(StageProject):
    """A project that is run with the Python of an environment that extends this one, and has a package more."""

    python: str

    @property
    def command(self) -> list[str]:
        return [self.python, *super().command[1:]]


@pytest.fixture
def extending(project: StageProject, tmp_path_factory: pytest.TempPathFactory) -> Extending:
    """As uv makes one: its site-packages is empty but for a .pth file that names the two others."""
    folder = tmp_path_factory.mktemp("uv")
    venv.create(folder / "env", symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    more, own = folder / f"archive/lib/{version}/site-packages", folder / f"env/lib/{version}/site-packages"
    more.mkdir(parents=True)
    (more / "extra.py").write_text("WORD = 'hey'\n")
    here = sysconfig.get_path("purelib")
    added = f"import site; site.addsitedir({str(more)!r}); site.addsitedir({here!r})\n"
    (own / "_uv_ephemeral_overlay.pth").write_text(added)
    with (folder / "env/pyvenv.cfg").open("a") as config:
        config.write(f"extends-environment = {sys.prefix}\n")
    return Extending(project.root, str(folder / "env/bin/python"))


def test_a_stage_runs_in_an_environment_that_extends_the_project_s(extending: Extending) -> None:
    extending.write_stage(f"import msgspec, numpy\n{SHOUT}")
    extending.write_key()

    assert extending.run() == (0, "stages.shout: 1 row\n", "")
    assert extending.log()[-1]["stack"]["packages"] == "as locked"


def test_what_only_the_other_environment_has_is_refused_once_it_is_loaded(extending: Extending) -> None:
    extending.write_stage(f"import importlib\nimportlib.import_module('EXTRA'.lower())\n{SHOUT}")

    code, _, error = extending.run()

    assert code == 1
    assert "extra.py: want modules of modelmake and stages, and packages in uv.lock" in error


def test_this_environment_comes_before_those_that_it_extends() -> None:
    """Under `uv run --with` the tests themselves run in one that extends another."""
    assert library_folders.ENVIRONMENTS[0] == sys.prefix
    assert {f"{sysconfig.get_path(name)}/" for name in ("purelib", "platlib")} <= {*library_folders.INSTALLED}


def test_a_project_below_the_prefix_of_python_is_no_library() -> None:
    folders = library_folders.around("/usr/src/app", ["/usr", "/srv/app/.venv", "/usr/src/ap"])

    assert {"/srv/app/.venv/", "/usr/src/ap/", f"{Path(os.__file__).parent}/"} <= set(folders)
    assert not "/usr/src/app/rows.txt".startswith(folders)
