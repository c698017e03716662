"""DVC's stores of objects: the cache and the remotes."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from modelmake.dvc import internals
from modelmake.errors import UserError


@dataclass(frozen=True, eq=False)
class Store:
    """Objects by the MD5 of their bytes: DVC's cache, or a remote of any type."""

    name: str  # "cache", or the remote's
    local: bool  # a folder
    root: Path  # of the project
    _odb: Any  # DVC's own store

    def where(self, md5: str) -> str:
        """An object's path, from the root if it is below it, or its URL."""
        path = self._odb.oid_to_path(md5)
        return path.removeprefix(f"{self.root}{os.sep}") if self.local else self._odb.fs.unstrip_protocol(path)

    def path(self, md5: str) -> Path:
        """An object's path in a local store."""
        return Path(self._odb.oid_to_path(md5))

    def open(self, md5: str) -> BinaryIO:
        """An object's bytes as they are stored, without a look at DVC's state or a recorded size.

        Raises:
            FileNotFoundError: there is no such object.
        """
        return self._odb.fs.open(self._odb.oid_to_path(md5), "rb")

    def replace(self, md5: str, content: BinaryIO) -> None:
        """Writes an object over the one that may be there; in one step where the store can."""
        path = self._odb.oid_to_path(md5)
        self._odb.fs.makedirs(self._odb.fs.parent(path), exist_ok=True)
        self._odb.fs.put_file(content, path)
        self._odb.protect(path)


def cache(root: Path) -> Store:
    """DVC's cache on this machine."""
    return Store("cache", True, root.absolute(), internals.cache_store(root))


def remote(root: Path, name: str | None) -> Store:
    """A remote; the default one for None.

    Raises:
        UserError: there is no such remote, or it does not name objects by their hashes.
    """
    try:
        name, odb = internals.remote_store(root, name)
    except UserError as error:
        names = ", ".join(internals.remotes(root)[1]) or "(none there)"
        message = str(error).splitlines()[0]
        raise UserError(
            f"--remote {name or ''}: {message}: want one of {names}; name stages before --remote"
        ) from error
    return Store(name, odb.fs.protocol == "local", root.absolute(), odb)


def read(store: Store, md5: str) -> bytes:
    """The bytes of an object as they are stored.

    Raises:
        FileNotFoundError: there is no such object.
        UserError: the store cannot be read.
    """
    try:
        with store.open(md5) as stream:
            return stream.read()
    except FileNotFoundError:
        raise
    except Exception as error:  # each kind of store has its own
        raise UserError(
            f"{store.where(md5)}: {type(error).__name__}: {' '.join(str(error).split())}: want to read it; "
            "see docs/remotes.md for addresses and credentials"
        ) from error


def default_remote(root: Path) -> tuple[str | None, Store | None]:
    """The default remote's name, and its store if that is a folder."""
    name, urls = internals.remotes(root)
    return name, remote(root, name) if name and "://" not in urls.get(name, "") else None
