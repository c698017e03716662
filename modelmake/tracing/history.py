"""Every build that git remembers: the stages of each `dvc.lock`, kept in an index beside the DVC cache.

A build is one content of `dvc.lock`. The index is SQLite in the machine's folder; it holds nothing that git and the
cache did not say, so it may be deleted at any time. Only what is new since the last look is read.
"""

import contextlib
import hashlib
import json
import re
import sqlite3
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from modelmake import artifacts, git
from modelmake.errors import UserError
from modelmake.git import Commit
from modelmake.keys import key_file
from modelmake.running import state_dir

INDEX = "trace.sqlite"  # in the machine's folder
LOCK = Path("dvc.lock")
SCHEMA = """
CREATE TABLE commits (sha TEXT PRIMARY KEY, at INTEGER, subject TEXT, build TEXT);
CREATE TABLE builds (build TEXT PRIMARY KEY, problem TEXT);
CREATE TABLE entries (entry INTEGER PRIMARY KEY, stage TEXT, content TEXT UNIQUE);
CREATE TABLE holds (build TEXT, entry INTEGER, PRIMARY KEY (build, entry)) WITHOUT ROWID;
CREATE TABLE outs (md5 TEXT, path TEXT, entry INTEGER, PRIMARY KEY (md5, path, entry)) WITHOUT ROWID;
CREATE TABLE lists (folder TEXT PRIMARY KEY);
CREATE TABLE members (folder TEXT, path TEXT, md5 TEXT, PRIMARY KEY (folder, path)) WITHOUT ROWID;
CREATE INDEX members_md5 ON members (md5);
CREATE TABLE ids (row INTEGER PRIMARY KEY, id TEXT UNIQUE);
CREATE TABLE contents (content INTEGER PRIMARY KEY, row INTEGER UNIQUE, object TEXT, start INTEGER, size INTEGER);
CREATE TABLE facts (fact INTEGER PRIMARY KEY, kind TEXT, row INTEGER, other INTEGER, file TEXT, line INTEGER,
  told TEXT, UNIQUE (kind, row, other, file, line, told));
CREATE INDEX facts_row ON facts (row);
CREATE INDEX facts_other ON facts (other);
CREATE INDEX facts_place ON facts (line, file);
CREATE TABLE objects (md5 TEXT PRIMARY KEY, kind TEXT, bits BLOB);
CREATE TABLE signatures (chars INTEGER, last INTEGER, contents BLOB, bits BLOB, absent INTEGER,
  PRIMARY KEY (chars, last));
"""
VERSION = zlib.crc32(SCHEMA.encode()) >> 1  # an index with other tables is made anew


@dataclass(frozen=True, eq=False)
class Entry:
    """One stage as a `dvc.lock` records it; the same object in every build that records the same."""

    number: int
    stage: str
    content: dict[str, Any]  # cmd, deps, params, outs as in dvc.lock

    @cached_property
    def deps(self) -> dict[str, str]:
        """{path: md5}; "" where DVC recorded another kind of hash."""
        return {dep["path"]: dep.get("md5", "") for dep in self.content.get("deps", [])}

    @cached_property
    def outs(self) -> dict[str, str]:
        """{path: md5}."""
        return {out["path"]: out.get("md5", "") for out in self.content.get("outs", [])}

    @property
    def key_file(self) -> str:
        """Where its code and packages are listed, among its deps."""
        return key_file.path_of(self.stage)


class History:
    """The index of one project, brought up to date."""

    def __init__(self, root: Path) -> None:
        self.cache = state_dir.folder(root).parent / "files/md5"
        self.db = _open(state_dir.folder(root) / INDEX)
        self.here = ""  # the build in the working tree
        self._update(root)

    def _update(self, root: Path) -> None:
        known = {sha for (sha,) in self.db.execute("SELECT sha FROM commits")}
        builds = {build for (build,) in self.db.execute("SELECT build FROM builds")}
        found = git.commits(root)
        texts: dict[str, bytes] = {}
        new = [commit for commit in found if commit.sha not in known]
        blobs = dict(zip(new, git.hashes(root, [c.sha for c in new], str(LOCK)), strict=True))
        wanted = {blob for blob in blobs.values() if blob} - builds
        texts.update(zip(sorted(wanted), git.contents(root, sorted(wanted)), strict=True))
        if (root / LOCK).is_file():
            content = (root / LOCK).read_bytes()
            self.here = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            if self.here not in builds:
                texts[self.here] = content
        with self.db:
            for sha in known - {commit.sha for commit in found}:  # rewritten
                self.db.execute("DELETE FROM commits WHERE sha = ?", (sha,))
            self.db.executemany(
                "INSERT INTO commits VALUES (?, ?, ?, ?)", [(c.sha, c.at, c.subject, b) for c, b in blobs.items()]
            )
            self._add(texts)
            self._list_folders()

    def _add(self, texts: dict[str, bytes]) -> None:
        numbers: dict[tuple[str, str], int] = {}
        blocks: dict[str, list[tuple[str, str]]] = {}
        for build, text in texts.items():
            try:
                entries = _entries(text, blocks)
            except ValueError as error:
                self.db.execute("INSERT INTO builds VALUES (?, ?)", (build, str(error)))
                continue
            self.db.execute("INSERT INTO builds VALUES (?, '')", (build,))
            for entry in entries:
                if entry not in numbers:
                    numbers[entry] = self._entry(*entry)
                self.db.execute("INSERT OR IGNORE INTO holds VALUES (?, ?)", (build, numbers[entry]))

    def _entry(self, stage: str, content: str) -> int:
        self.db.execute("INSERT OR IGNORE INTO entries (stage, content) VALUES (?, ?)", (stage, content))
        (number,) = self.db.execute("SELECT entry FROM entries WHERE content = ?", (content,)).fetchone()
        outs = Entry(number, stage, json.loads(content)["is"]).outs
        self.db.executemany(
            "INSERT OR IGNORE INTO outs VALUES (?, ?, ?)", [(md5, p, number) for p, md5 in outs.items() if md5]
        )
        return number

    def _list_folders(self) -> None:
        """Reads the lists of files of folder outputs, where the cache has them."""
        query = "SELECT DISTINCT md5 FROM outs WHERE md5 LIKE '%.dir' AND md5 NOT IN (SELECT folder FROM lists)"
        for (md5,) in self.db.execute(query).fetchall():
            content = self.read(md5)
            if content is not None:
                files = [(md5, file["relpath"], file["md5"]) for file in json.loads(content)]
                self.db.execute("INSERT INTO lists VALUES (?)", (md5,))
                self.db.executemany("INSERT OR IGNORE INTO members VALUES (?, ?, ?)", files)

    def read(self, md5: str) -> bytes | None:
        """An object of the cache; None where it is absent, or is not what its name says."""
        with contextlib.suppress(OSError):
            content = (self.cache / md5[:2] / md5[2:]).read_bytes()
            if artifacts.md5(content) == md5.removesuffix(".dir"):
                return content
        return None

    def has(self, md5: str) -> bool:
        """Whether the cache has the file, or the folder with all of its files; by name, not by bytes."""
        if not (self.cache / md5[:2] / md5[2:]).is_file():
            return False
        return all((self.cache / m[:2] / m[2:]).is_file() for m in self.members.get(md5, {}).values())

    def files(self, entry: Entry) -> dict[str, str]:
        """{path: md5} of the files that a stage made, those in folders too as far as their lists are known."""
        found = {}
        for path, md5 in entry.outs.items():
            found[path] = md5
            found.update({f"{path}/{inner}": m for inner, m in self.members.get(md5, {}).items()})
        return found

    @cached_property
    def entries(self) -> dict[int, Entry]:
        """Every entry of every dvc.lock, by its number."""
        found = self.db.execute("SELECT entry, stage, content FROM entries")
        return {number: Entry(number, stage, json.loads(content)["is"]) for number, stage, content in found}

    @cached_property
    def builds(self) -> dict[str, list[Entry]]:
        """{build: its entries}, newest first: that of the working tree, then by commit, then those in no commit."""
        found: dict[str, list[Entry]] = {self.here: []} if self.here else {}
        found.update((build, []) for build in self.commits)
        for build, number in self.db.execute("SELECT build, entry FROM holds ORDER BY build, entry"):
            found.setdefault(build, []).append(self.entries[number])
        return found

    @cached_property
    def commits(self) -> dict[str, list[Commit]]:
        """{build: the commits that have it}, newest first."""
        found: dict[str, list[Commit]] = {}
        query = "SELECT build, sha, at, subject FROM commits WHERE build != '' ORDER BY at DESC, rowid"
        for build, sha, at, subject in self.db.execute(query):
            found.setdefault(build, []).append(Commit(sha, at, subject))
        return found

    @cached_property
    def unreadable(self) -> list[tuple[str, str]]:
        """(commit, problem) of every dvc.lock that could not be read."""
        found = self.db.execute(
            "SELECT sha, problem FROM commits JOIN builds USING (build) WHERE problem != '' ORDER BY at"
        )
        return list(found)

    @cached_property
    def members(self) -> dict[str, dict[str, str]]:
        """{folder's md5: {path in it: md5}} of every folder whose list was ever in the cache."""
        found: dict[str, dict[str, str]] = {folder: {} for (folder,) in self.db.execute("SELECT folder FROM lists")}
        for folder, path, md5 in self.db.execute("SELECT folder, path, md5 FROM members"):
            found[folder][path] = md5
        return found

    def holding(self, md5: str) -> list[tuple[Entry, str, str]]:
        """(entry, out, path in it) of every output that is this file or folder, or has it in it."""
        query = """SELECT entry, path, '' FROM outs WHERE md5 = :md5 UNION
                   SELECT entry, outs.path, members.path FROM members JOIN outs ON outs.md5 = folder
                   WHERE members.md5 = :md5"""
        return [(self.entries[n], out, inner) for n, out, inner in self.db.execute(query, {"md5": md5})]

    def having(self, number: int) -> list[str]:
        """The builds that have an entry, newest first."""
        found = {build for (build,) in self.db.execute("SELECT build FROM holds WHERE entry = ?", (number,))}
        return [build for build in self.builds if build in found]

    def commits_of(self, builds: Iterable[str]) -> list[Commit]:
        """Newest first."""
        return sorted({c for build in builds for c in self.commits.get(build, [])}, key=lambda c: (-c.at, c.sha))


def _open(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(parents=True, exist_ok=True)
    for attempt in (1, 2):
        db = sqlite3.connect(file, timeout=600)  # seconds: another trace may be reading a long history
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
                    f"{file}: {error}: want a SQLite index; delete it, `modelmake trace` makes it"
                ) from None
        db.close()
        file.unlink()  # of another version, or no database
    raise UserError(f"{file}: not of this version, and cannot be replaced: delete it")


def _entries(text: bytes, blocks: dict[str, list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """(stage, {"is": entry, "stage"} as JSON) of each stage. Most of it stands in the last commit too: `blocks` knows.

    Raises:
        ValueError: it is no such YAML; a merge left its marks, say.
    """
    sections = re.split(r"^(?=\S)", text.decode("utf-8"), flags=re.MULTILINE)
    if strange := next((s for s in sections if s.strip() and not re.match(r"\w+:", s)), ""):
        raise ValueError(f"no dvc.lock: {strange.splitlines()[0]}")
    stages = next((section for section in sections if section.startswith("stages:")), "")
    found: list[tuple[str, str]] = []
    _, *parts = re.split(r"^(?=  \S)", stages, flags=re.MULTILINE)
    for part in parts:
        if part not in blocks:
            blocks[part] = _parsed(part)
        found += blocks[part]
    return found


def _parsed(block: str) -> list[tuple[str, str]]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        values = YAML(typ="safe", pure=True).load(block)
    except YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    if not isinstance(values, dict) or not all(isinstance(entry, dict) for entry in values.values()):
        raise ValueError(f"no stage: {block.splitlines()[0]}")
    return [
        (stage, json.dumps({"stage": stage, "is": entry}, sort_keys=True, default=str))
        for stage, entry in values.items()
    ]
