"""A built project pushed to a real store, and fresh clones of it."""

import contextlib
import hashlib
import itertools
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.remote import stores


class Team:
    """A project with its store as remote, and clones beside it."""

    def __init__(self, project: Project, store: stores.Store) -> None:
        self.project, self.store, self.numbers = project, store, itertools.count()

    def fresh_clone(self) -> Project:
        path = self.project.path.with_name(f"clone{next(self.numbers)}")
        git(self.project, "clone", "-q", ".", str(path))
        return Project(path)

    def complete(self) -> set[str]:
        """The names of the store's objects, without the temporary files of a killed upload."""
        return {name for name in self.store.names() if not name.endswith(".tmp")}

    @contextlib.contextmanager
    def spoilt(self, name: str, content: bytes | None) -> Iterator[None]:
        """Replaces an object of the store, or deletes it for None, for the length of the block. DVC does not know."""
        good = self.store.read(name)
        assert content != good
        self.store.delete(name) if content is None else self.store.write(name, content)
        try:
            yield
        finally:
            self.store.write(name, good)


def git(project: Project, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments], cwd=project.path, check=True)


def succeed(project: Project, *command: str) -> str:
    code, output = project.run(*command)
    assert code == 0, output
    return output


def object_name(md5: str) -> str:
    """The path of an object below the root of a remote or cache."""
    return f"files/md5/{md5[:2]}/{md5[2:]}"


def hashed(content: bytes) -> str:
    """The object name of some bytes."""
    return object_name(hashlib.md5(content).hexdigest())


def flipped(content: bytes) -> bytes:
    """The bytes with one bit in the middle changed."""
    half = len(content) // 2
    return content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :]


def name_of(path: Path) -> str:
    """The object name of a file."""
    return hashed(path.read_bytes())


def cached(project: Project) -> set[str]:
    """The names of the objects in a project's cache; each must have the bytes that its name says."""
    root = project.path / ".dvc/cache"
    names = {path: str(path.relative_to(root)) for path in (root / "files").rglob("*") if path.is_file()}
    assert {name.removesuffix(".dir") for name in names.values()} == {name_of(path) for path in names}
    return set(names.values())


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(
    scope="module", params=["folder", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("s3", "ssh"))]
)
def team(request: pytest.FixtureRequest, built: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """The tiny project, built, committed and pushed to each kind of store in turn."""
    path = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch, getattr(stores, request.param)(path) as store:
        patch.setenv("DVC_SITE_CACHE_DIR", str(path / "site"))
        project = Project(path / "project")
        shutil.copytree(built.path, project.path, symlinks=True)
        for command in store.commands:
            succeed(project, *command)
        git(project, "add", "-A")
        git(project, "commit", "-qm", "built")
        succeed(project, "dvc", "push")
        yield Team(project, store)
