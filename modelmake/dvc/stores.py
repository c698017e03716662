"""Where DVC keeps bytes: its cache and its remotes. With graph.py the one module that touches DVC's internals."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from modelmake.errors import UserError


@dataclass(frozen=True, eq=False)
class Store:
    """Objects by the MD5 of their bytes, as DVC keeps them: its cache, or a remote of any type."""

    name: str  # "cache", or the remote's
    local: bool  # a folder
    root: Path  # of the project
    _odb: Any

    def where(self, md5: str) -> str:
        """The object's path, from the root if it is below it, or URL."""
        path = self._odb.oid_to_path(md5)
        return path.removeprefix(f"{self.root}{os.sep}") if self.local else self._odb.fs.unstrip_protocol(path)

    def path(self, md5: str) -> Path:
        """The object's path, of a store that is a folder."""
        return Path(self._odb.oid_to_path(md5))

    def open(self, md5: str) -> BinaryIO:
        """Its bytes as they are there: no state, no recorded size is asked.

        Raises:
            FileNotFoundError: there is no such object.
        """
        return self._odb.fs.open(self._odb.oid_to_path(md5), "rb")

    def replace(self, md5: str, content: BinaryIO) -> None:
        """Puts an object there, whatever was there before; whole or not at all, as far as the store can."""
        path = self._odb.oid_to_path(md5)
        self._odb.fs.makedirs(self._odb.fs.parent(path), exist_ok=True)
        self._odb.fs.put_file(content, path)
        self._odb.protect(path)


def cache(root: Path) -> Store:
    """DVC's cache on this machine."""
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        return Store("cache", True, root.absolute(), repo.cache.local)


def remote(root: Path, name: str | None) -> Store:
    """A remote, the default one where none is named.

    Raises:
        UserError: there is no such remote, or it is none that names objects by their hashes.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        try:
            found = repo.cloud.get_remote(name)
            odb = repo.cloud.get_remote_odb(name, "verify")
        except DvcException as error:
            names = ", ".join(repo.config["remote"]) or "(none there)"
            told = str(error).splitlines()[0]
            raise UserError(
                f"--remote {name or ''}: {told}: want one of {names}; name stages before --remote"
            ) from error
        return Store(found.name, odb.fs.protocol == "local", root.absolute(), odb)


def default_remote(root: Path) -> tuple[str | None, Store | None]:
    """The name of the remote that is used where none is named; and its store, if that is a folder."""
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        name = repo.config["core"].get("remote")
        url = repo.config["remote"].get(name, {}).get("url", "")
    return name, remote(root, name) if name and "://" not in url else None
