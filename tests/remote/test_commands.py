"""DVC accepts each command of docs/remotes.md that names a store, has its plugin, and verifies that remote."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT, Project

COMMANDS = re.findall(r"`uv run (dvc remote modify store url (\w+:/)?/[^`]+)`", (ROOT / "docs/remotes.md").read_text())


@pytest.mark.parametrize(("command", "scheme"), COMMANDS, ids=[scheme or "folder" for _, scheme in COMMANDS])
def test_one_command_names_a_store_and_it_verifies(
    command: str, scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dvc.cli import main
    from dvc.repo import Repo

    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".dvc").mkdir()
    shutil.copyfile(ROOT / ".dvc/config", tmp_path / ".dvc/config")
    monkeypatch.chdir(tmp_path)

    assert main(shlex.split(command)[1:]) == 0
    with Repo(".") as repo:
        remote = repo.cloud.get_remote()
        assert remote.name == "store"
        assert remote.odb.verify is True
        assert remote.fs.protocol.startswith(scheme.removesuffix(":/") or "local")


def test_the_page_has_a_command_for_every_kind_of_store() -> None:
    assert [scheme for _, scheme in COMMANDS] == ["", "s3:/", "gs:/", "azure:/", "ssh:/", "webdavs:/"]


def test_the_default_is_a_folder_beside_the_clone_that_verifies() -> None:
    from dvc.config import Config

    config = Config(str(ROOT / ".dvc"))
    assert config["core"]["remote"] == "store"
    assert config["remote"]["store"]["url"] == str(ROOT.parent / "modelmake-remote")
    assert config["remote"]["store"]["verify"] is True


def test_a_build_makes_no_remote(built: Project) -> None:
    assert not (built.path / ".dvc" / "../../modelmake-remote").resolve().exists()
