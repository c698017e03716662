"""The contract with DVC's cache and remotes: where objects are, read and replaced whatever was there."""

import hashlib
import io
import subprocess
from pathlib import Path

import pytest

from modelmake.dvc import stores
from modelmake.errors import UserError

MD5 = hashlib.md5(b"good").hexdigest()
OBJECT = f"files/md5/{MD5[:2]}/{MD5[2:]}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """No remote is the default; one is a folder, one keeps versions."""
    root = tmp_path / "project"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc/config").write_text(
        f"['remote \"disk\"']\n    url = {tmp_path}/disk\n"
        "['remote \"versions\"']\n    url = s3://bucket\n    version_aware = true\n"
    )
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


def test_the_cache_is_where_dvc_says(root: Path, tmp_path: Path) -> None:
    assert stores.cache(root).where(MD5) == f".dvc/cache/{OBJECT}"
    (root / ".dvc/config.local").write_text(f"[cache]\n    dir = {tmp_path}/shared\n")
    assert stores.cache(root).where(MD5) == f"{tmp_path}/shared/{OBJECT}"


def test_an_object_is_replaced_whatever_was_there(root: Path, tmp_path: Path) -> None:
    store = stores.remote(root, "disk")
    with pytest.raises(FileNotFoundError):
        store.open(MD5)
    store.replace(MD5, io.BytesIO(b"bad!"))
    assert (tmp_path / "disk" / OBJECT).stat().st_mode & 0o777 == 0o444, "as DVC has them"
    store.replace(MD5, io.BytesIO(b"good"))

    assert store.open(MD5).read() == b"good"
    assert store.path(MD5) == tmp_path / "disk" / OBJECT
    assert [path.name for path in (tmp_path / "disk").rglob("*") if path.is_file()] == [MD5[2:]]


@pytest.mark.parametrize("name", [None, "nowhere", "versions"])
def test_a_remote_that_is_none_of_objects_is_told_in_one_line(root: Path, name: str | None) -> None:
    with pytest.raises(UserError) as error:
        stores.remote(root, name)
    told = str(error.value)
    assert told.startswith(f"--remote {name or ''}: ") and "want one of disk, versions" in told
    assert len(told.splitlines()) == 1


def test_the_default_is_the_one_that_the_config_names(root: Path) -> None:
    assert stores.default_remote(root) == (None, None)
    config = (root / ".dvc/config").read_text()
    for name, folder in (("disk", "disk"), ("versions", None)):
        (root / ".dvc/config").write_text(f"{config}[core]\n    remote = {name}\n")
        found, store = stores.default_remote(root)
        assert (found, store and store.name) == (name, folder)
