"""Builds in git's history: the stages of each dvc.lock, in an index beside the DVC cache.

A build is one content of dvc.lock, named by its git hash. The index is a SQLite file in the machine's state folder. All
that it holds comes from git and the cache, so it may be deleted at any time. An update reads only what is new.
"""

import contextlib
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from modelmake import artifacts, git
from modelmake.errors import UserError
from modelmake.git import Commit
from modelmake.running import state_dir
from modelmake.tracing import lock_entries
from modelmake.tracing.lock_entries import LockedStage

INDEX = "trace.sqlite"  # in the state folder
LOCK = "dvc.lock"
TIMEOUT_S = 600  # another trace may be reading a long history
# An entry is a stage as some builds record it. Members are files of folder outputs. Tables from `ids` on: row_index.py.
SCHEMA = """
CREATE TABLE commits (sha TEXT PRIMARY KEY, timestamp INTEGER, subject TEXT, build TEXT);
CREATE TABLE builds (build TEXT PRIMARY KEY, problem TEXT);
CREATE TABLE entries (entry INTEGER PRIMARY KEY, stage TEXT, content TEXT UNIQUE);
CREATE TABLE build_entries (build TEXT, entry INTEGER, PRIMARY KEY (build, entry)) WITHOUT ROWID;
CREATE TABLE outs (md5 TEXT, path TEXT, entry INTEGER, PRIMARY KEY (md5, path, entry)) WITHOUT ROWID;
CREATE TABLE folders (folder TEXT PRIMARY KEY);
CREATE TABLE members (folder TEXT, path TEXT, md5 TEXT, PRIMARY KEY (folder, path)) WITHOUT ROWID;
CREATE INDEX members_md5 ON members (md5);
CREATE TABLE ids (row INTEGER PRIMARY KEY, id TEXT UNIQUE);
CREATE TABLE contents (content INTEGER PRIMARY KEY, row INTEGER UNIQUE, object TEXT, start INTEGER, size INTEGER);
CREATE TABLE facts (fact INTEGER PRIMARY KEY, kind TEXT, row INTEGER, related INTEGER, file TEXT, line INTEGER,
  details TEXT, UNIQUE (kind, row, related, file, line, details));
CREATE INDEX facts_row ON facts (row);
CREATE INDEX facts_related ON facts (related);
CREATE INDEX facts_place ON facts (line, file);
CREATE TABLE objects (md5 TEXT PRIMARY KEY, kind TEXT, bits BLOB);
"""
VERSION = zlib.crc32(SCHEMA.encode()) >> 1  # an index with another schema is replaced


class History:
    """The builds of a project. Creating it brings the index up to date."""

    def __init__(self, root: Path) -> None:
        self.cache = state_dir.folder(root).parent / "files/md5"
        self.db = _open(state_dir.folder(root) / INDEX)
        self.working_tree = ""  # the build in the working tree
        self._update(root)

    def _update(self, root: Path) -> None:
        indexed = {sha for (sha,) in self.db.execute("SELECT sha FROM commits")}
        builds = {build for (build,) in self.db.execute("SELECT build FROM builds")}
        commits = git.commits(root)
        new = [commit for commit in commits if commit.sha not in indexed]
        build_of = dict(zip(new, git.hashes(root, [commit.sha for commit in new], LOCK), strict=True))
        new_builds = sorted({build for build in build_of.values() if build} - builds)
        locks = dict(zip(new_builds, git.contents(root, new_builds), strict=True))
        if (root / LOCK).is_file():
            content = (root / LOCK).read_bytes()
            self.working_tree = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            if self.working_tree not in builds:
                locks[self.working_tree] = content
        with self.db:
            for sha in indexed - {commit.sha for commit in commits}:  # of rewritten history
                self.db.execute("DELETE FROM commits WHERE sha = ?", (sha,))
            self.db.executemany(
                "INSERT INTO commits VALUES (?, ?, ?, ?)",
                [(commit.sha, commit.timestamp, commit.subject, build) for commit, build in build_of.items()],
            )
            self._add_builds(locks)
            self._add_members()

    def _add_builds(self, locks: dict[str, bytes]) -> None:
        numbers: dict[tuple[str, str], int] = {}
        parsed: dict[str, list[tuple[str, str]]] = {}
        for build, text in locks.items():
            try:
                entries = lock_entries.parse(text, parsed)
            except ValueError as error:
                self.db.execute("INSERT INTO builds VALUES (?, ?)", (build, str(error)))
                continue
            self.db.execute("INSERT INTO builds VALUES (?, '')", (build,))
            for entry in entries:
                if entry not in numbers:
                    numbers[entry] = self._add_entry(*entry)
                self.db.execute("INSERT OR IGNORE INTO build_entries VALUES (?, ?)", (build, numbers[entry]))

    def _add_entry(self, stage: str, content: str) -> int:
        """The number of an entry, which is added with its outputs if it is new."""
        self.db.execute("INSERT OR IGNORE INTO entries (stage, content) VALUES (?, ?)", (stage, content))
        (number,) = self.db.execute("SELECT entry FROM entries WHERE content = ?", (content,)).fetchone()
        outs = _locked_stage(number, stage, content).outs
        self.db.executemany(
            "INSERT OR IGNORE INTO outs VALUES (?, ?, ?)", [(md5, path, number) for path, md5 in outs.items() if md5]
        )
        return number

    def _add_members(self) -> None:
        """Adds the files of folder outputs whose listing is in the cache."""
        query = "SELECT DISTINCT md5 FROM outs WHERE md5 LIKE '%.dir' AND md5 NOT IN (SELECT folder FROM folders)"
        for (md5,) in self.db.execute(query).fetchall():
            listing = self.read(md5)
            if listing is not None:
                files = [(md5, file["relpath"], file["md5"]) for file in json.loads(listing)]
                self.db.execute("INSERT INTO folders VALUES (?)", (md5,))
                self.db.executemany("INSERT OR IGNORE INTO members VALUES (?, ?, ?)", files)

    def object(self, md5: str) -> Path:
        """The path of an object in the cache."""
        return self.cache / md5[:2] / md5[2:]

    def read(self, md5: str) -> bytes | None:
        """The content of an object in the cache; None where it is absent or corrupt."""
        with contextlib.suppress(OSError):
            content = self.object(md5).read_bytes()
            if artifacts.md5(content) == md5.removesuffix(".dir"):
                return content
        return None

    def cached(self, md5: str) -> bool:
        """The cache has the file, or the folder and all of its files. Their bytes are not checked."""
        objects = [md5, *self.members.get(md5, {}).values()]
        return all(self.object(md5).is_file() for md5 in objects)

    def files(self, stage: LockedStage) -> dict[str, str]:
        """{path: MD5} of a stage's outputs, and of the files in folder outputs whose listing is known."""
        result = {}
        for path, md5 in stage.outs.items():
            result[path] = md5
            result |= {f"{path}/{inner}": member for inner, member in self.members.get(md5, {}).items()}
        return result

    @cached_property
    def stages(self) -> dict[int, LockedStage]:
        """Every stage as any build records it, by number."""
        entries = self.db.execute("SELECT entry, stage, content FROM entries")
        return {number: _locked_stage(number, stage, content) for number, stage, content in entries}

    @cached_property
    def builds(self) -> dict[str, list[LockedStage]]:
        """{build: its stages}: that of the working tree, then by commit, newest first, then those of no commit."""
        result: dict[str, list[LockedStage]] = {self.working_tree: []} if self.working_tree else {}
        result |= {build: [] for build in self.commits if build not in result}
        for build, number in self.db.execute("SELECT build, entry FROM build_entries ORDER BY build, entry"):
            result.setdefault(build, []).append(self.stages[number])
        return result

    @cached_property
    def commits(self) -> dict[str, list[Commit]]:
        """{build: its commits}, newest first."""
        result: dict[str, list[Commit]] = {}
        query = "SELECT build, sha, timestamp, subject FROM commits WHERE build != '' ORDER BY timestamp DESC, rowid"
        for build, sha, timestamp, subject in self.db.execute(query):
            result.setdefault(build, []).append(Commit(sha, timestamp, subject))
        return result

    @cached_property
    def unreadable(self) -> list[dict[str, str]]:
        """{commit, problem} of every dvc.lock that could not be parsed."""
        query = "SELECT sha, problem FROM commits JOIN builds USING (build) WHERE problem != '' ORDER BY timestamp"
        return [{"commit": sha, "problem": problem} for sha, problem in self.db.execute(query)]

    @cached_property
    def members(self) -> dict[str, dict[str, str]]:
        """{MD5 of a folder: {path in it: MD5}} of every folder whose listing was ever in the cache."""
        result: dict[str, dict[str, str]] = {folder: {} for (folder,) in self.db.execute("SELECT folder FROM folders")}
        for folder, path, md5 in self.db.execute("SELECT folder, path, md5 FROM members"):
            result[folder][path] = md5
        return result

    def outputs_with(self, md5: str) -> list[tuple[LockedStage, str, str]]:
        """(stage, output, path in it) of every output that is this file or folder or has it among its files."""
        query = """SELECT entry, path, '' FROM outs WHERE md5 = :md5 UNION
                   SELECT entry, outs.path, members.path FROM members JOIN outs ON outs.md5 = folder
                   WHERE members.md5 = :md5"""
        return [(self.stages[n], out, inner) for n, out, inner in self.db.execute(query, {"md5": md5})]

    def builds_with(self, stage: LockedStage) -> list[str]:
        """The builds that record a stage like this, newest first."""
        query = "SELECT build FROM build_entries WHERE entry = ?"
        builds = {build for (build,) in self.db.execute(query, (stage.number,))}
        return [build for build in self.builds if build in builds]

    def commits_of(self, builds: Iterable[str]) -> list[Commit]:
        """The commits of some builds, newest first."""
        commits = {commit for build in builds for commit in self.commits.get(build, [])}
        return sorted(commits, key=lambda commit: (-commit.timestamp, commit.sha))


def _locked_stage(number: int, stage: str, content: str) -> LockedStage:
    return LockedStage(number, stage, json.loads(content)["record"])


def _open(file: Path) -> sqlite3.Connection:
    """The index; one of another version, or a file that is no database, is replaced.

    Raises:
        UserError: the file cannot be opened or replaced.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    for attempt in (1, 2):
        db = sqlite3.connect(file, timeout=TIMEOUT_S)
        try:
            with db:
                db.execute("BEGIN IMMEDIATE")
                (version,) = db.execute("PRAGMA user_version").fetchone()
                if version == 0:
                    for statement in SCHEMA.split(";"):
                        db.execute(statement)
                    db.execute(f"PRAGMA user_version = {VERSION}")
                if version in (0, VERSION):
                    return db
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) or attempt == 2:
                raise UserError(
                    f"{file}: {error}: not a usable index; delete it, the next `modelmake trace` makes it anew"
                ) from None
        db.close()
        file.unlink()
    raise UserError(f"{file}: not of this version, and cannot be replaced: delete it")
