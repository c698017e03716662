"""The folder of a pulled release: what it has already, and how the new files take its place."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from modelmake.artifacts import Files
from modelmake.errors import UserError
from modelmake.verifying import rehash
from modelmake.verifying.rehash import Progress

RECORD = "release.json"  # in the folder of the pull: what was put in place last
NEW, OLD = "new", "old"  # there too: the folder that will be put in place, and the one before while that happens
MAX_NAMED = 3


class Place:
    """The folder of a release, and the hidden one beside it in which a pull works."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.work = folder, folder.with_name(f".{folder.name}.pull")

    def recover(self) -> None:
        """Ends a replacement that was killed: the folder before is put back, or what is left of it removed.

        Raises:
            UserError: it cannot be put back.
        """
        if (self.work / OLD).exists() and not self.folder.exists():
            self._rename(self.work / OLD, self.folder)
        shutil.rmtree(self.work / OLD, ignore_errors=True)
        shutil.rmtree(self.work / NEW, ignore_errors=True)

    def _rename(self, source: Path, target: Path) -> None:
        try:
            os.rename(source, target)
        except OSError as error:
            raise UserError(
                f"{self.folder}: {source} -> {target}: {error.strerror}: want a folder that can be renamed, which a "
                "mount point cannot; pull to a folder in it"
            ) from None

    def record(self) -> dict[str, Any]:
        """What was put in place last; empty where nothing was."""
        file = self.work / RECORD
        return json.loads(file.read_bytes()) if file.is_file() else {}

    def names(self) -> set[str]:
        """The paths of the files in the folder.

        Raises:
            UserError: the place is no folder.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise UserError(f"{self.folder}: no folder: want the name of one, or a new name")
        files = (path for path in self.folder.rglob("*") if not path.is_dir() or path.is_symlink())
        return {path.relative_to(self.folder).as_posix() for path in files}

    def present(self, names: Iterable[str]) -> dict[str, str]:
        """{path in the folder: MD5 of its bytes now}, "" of what is no file that can be read."""
        paths = [self.folder / name for name in names]
        with Progress("rehashed", sum(path.stat().st_size for path in paths if path.is_file())) as progress:
            digests = rehash.files(paths, progress)
        return {
            path.relative_to(self.folder).as_posix(): digest.md5 if digest and not digest.error else ""
            for path, digest in digests.items()
        }

    def checked(self, wanted: Files) -> dict[str, str]:
        """{path in the folder: MD5 of its bytes now}, of a folder that a release may take the place of.

        Raises:
            UserError: it has files that are neither of this release nor as an earlier pull left them.
        """
        names, before = self.names(), self.record().get("files", {})
        known = names & {*wanted, *before}
        present = self.present(known)
        foreign = sorted(names - known) or sorted(  # which may be many, and are not read
            path for path, md5 in present.items() if md5 not in (wanted.get(path), before.get(path))
        )
        if foreign:
            named = ", ".join(foreign[:MAX_NAMED])
            more = f" and {len(foreign) - MAX_NAMED} more" if len(foreign) > MAX_NAMED else ""
            raise UserError(
                f"{self.folder}: has {named}{more}, which no pull put there, or which changed since: want a new folder "
                "or one that a pull made; move them away"
            )
        return present

    def put(self, wanted: Files, present: Files, objects: Path, record: dict[str, Any]) -> None:
        """Puts the release in place of what the folder has: a whole one at every moment, or for an instant none.

        `objects` are files named by their MD5; a file of the folder with the right bytes is used again.

        Raises:
            UserError: the folder cannot be replaced.
        """
        here = {md5: self.folder / path for path, md5 in present.items()}
        used: set[str] = set()
        for path, md5 in wanted.items():
            target = self.work / NEW / path
            target.parent.mkdir(parents=True, exist_ok=True)
            source = here.get(md5) or objects / md5
            _take(source, target, linked=md5 not in used)  # two names of one file would change together
            used.add(md5)
        if self.folder.exists():
            self._rename(self.folder, self.work / OLD)
        self._rename(self.work / NEW, self.folder)
        shutil.rmtree(self.work / OLD, ignore_errors=True)
        partial = self.work / f"{RECORD}.partial"
        partial.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
        os.replace(partial, self.work / RECORD)


def _take(source: Path, target: Path, linked: bool) -> None:
    """Gives a file one more name where the file system can, else copies it."""
    if linked:
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    shutil.copyfile(source, target)
