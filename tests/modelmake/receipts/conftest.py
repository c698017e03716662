"""A made-up project, built once for a file of tests, and its released folder."""

import shutil
from pathlib import Path

import pytest

from tests.made_up_history import MadeUpProject
from tests.modelmake.receipts import made_up_release
from tests.tool_python import python_of


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> MadeUpProject:
    folder = tmp_path_factory.mktemp("made")
    return made_up_release.two_builds(folder / "project", folder / "scratch")


@pytest.fixture(scope="module")
def released(project: MadeUpProject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with its receipts. Tests change copies of it."""
    folder = made_up_release.release(project, tmp_path_factory.mktemp("released") / "desk")
    return made_up_release.write_receipts(project, folder)


@pytest.fixture
def folder(released: Path, tmp_path: Path) -> Path:
    """A copy of the released folder, to spoil."""
    return shutil.copytree(released, tmp_path / "desk")


@pytest.fixture(scope="session")
def signing_environment() -> None:
    """The environment of model-signing; tests that need it are skipped where it cannot be built."""
    python_of("signing")
