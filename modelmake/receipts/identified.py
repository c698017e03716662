"""Which recorded output a file or folder is, wherever it was found; or the nearest one, and what differs from it.

A receipt in the folder is not believed: it is made again from the commit that it names, and its bytes are compared.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from modelmake import artifacts
from modelmake.domain import Domain
from modelmake.errors import UserError
from modelmake.receipts import digests, documents, released
from modelmake.receipts.digests import Digest
from modelmake.tracing.history import History

MAX_NEAREST = 20  # recorded files of a kind that one is compared with, newest first
MAX_NAMED = 8  # parts that differ


@dataclass(frozen=True)
class Match:
    """An output of a build."""

    path: str  # of the file in the project
    output: str  # that it is, or lies in
    stage: str
    commit: str  # the first that records it, whose code and data made it; "" of the working tree
    subject: str

    def __str__(self) -> str:
        return f"{self.path} of {f'commit {self.commit[:10]} ({self.subject})' if self.commit else 'the working tree'}"


Output = tuple[Match, dict[str, str]]  # a folder output, and {file in it: MD5}


@dataclass
class Identified:
    """What was found about a file or a folder."""

    asked: str
    matches: dict[str, Match] = field(default_factory=dict)  # {file: the recorded output with its bytes}
    nearest: dict[str, Match] = field(default_factory=dict)  # {file that is no recorded output: the nearest}
    wrong: list[str] = field(default_factory=list)  # what is not as a build recorded it, a phrase each
    notes: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        found = Counter(str(match) for match in self.matches.values())
        return [
            *(f"{self.asked}: {'is ' if n == 1 else f'{n} files are '}{match}" for match, n in found.items()),
            *(f"{self.asked}: {phrase}" for phrase in [*self.wrong, *self.notes]),
        ]


def read(root: Path, path: Path, asked: str, history: History, domain: Domain) -> Identified:
    """What a file or folder is by its bytes.

    Raises:
        UserError: it cannot be read.
    """
    found = Identified(asked)
    if path.is_file():
        _file(path, path.name, found, history, domain)
        return found
    files = digests.of_folder(path)
    own = {name: digest for name, digest in files.items() if name not in released.OWN}
    _folder(path, own, _nearest_output(path, own, history, domain), found, history, domain)
    if documents.STATEMENT in files or documents.BILL in files:
        found.wrong += _receipts(root, path, domain)
    return found


def _file(path: Path, name: str, found: Identified, history: History, domain: Domain) -> None:
    """Adds what a file is, or what it is nearest to."""
    match = _match(artifacts.measure(path).md5, name, history)
    if match is not None:
        found.matches[name] = match
        return
    nearest, differences, skipped = _nearest(path, name, history, domain)
    if nearest is None:
        found.wrong.append(f"{name}: no build has these bytes, and no recorded file of its kind is here to compare")
    else:
        found.nearest[name] = nearest
        found.wrong.append(
            f"{name}: no build has these bytes; nearest is {nearest}; it differs in {_phrase(differences)}"
        )
    if skipped:
        found.notes.append(f"{name}: {skipped} recorded files of its kind not compared: too many, or not here whole")


def _folder(
    path: Path, files: dict[str, Digest], output: Output | None, found: Identified, history: History, domain: Domain
) -> None:
    """Adds what the files of a folder are; names and files that the output has otherwise are wrong."""
    match, members = output or (None, {})
    names: dict[str, list[str]] = {}  # {MD5: names in the output}
    for name, md5 in sorted(members.items()):
        names.setdefault(md5, []).append(name)
    lacking = sorted(members.keys() - files.keys())
    for name, digest in files.items():
        if match and members.get(name) == digest.md5:
            found.matches[name] = match
        elif match and (own := names.get(digest.md5)):
            gone = next((other for other in own if other in lacking), None)  # a file is renamed once
            found.wrong.append(f"{name}: {'renamed' if gone else 'a copy'}: {match.output} has it as {gone or own[0]}")
            lacking = [other for other in lacking if other != gone]
        elif match and name in members:
            _changed(path / name, name, match, members[name], found, history, domain)
        else:
            _file(path / name, name, found, history, domain)
    found.wrong += [f"{name}: missing: {match.output} has it" for name in lacking if match]


def _changed(
    path: Path, name: str, match: Match, md5: str, found: Identified, history: History, domain: Domain
) -> None:
    """Adds what a file has otherwise than the one of its name in an output."""
    found.nearest[name] = match
    recorded = _intact(md5, history)
    what = f"other bytes than {match.output}/{name}; {_as_recorded(path, name, history)}"
    if recorded is None:
        found.wrong.append(f"{name}: {what}; those are not here to compare: `dvc pull`")
        return
    differences = _differences(domain.parts(path, name), domain.parts(recorded, name))
    found.wrong.append(f"{name}: {what}; it differs in {_phrase(differences)}")


def _as_recorded(path: Path, name: str, history: History) -> str:
    match = _match(artifacts.measure(path).md5, name, history)
    return f"they are {match}" if match else "no build has them"


def _match(md5: str, name: str, history: History) -> Match | None:
    """The output with these bytes: one of the same name first, of these the newest."""
    found = [found for found in history.outputs_with(md5) if history.builds_with(found[0])]
    order = {build: number for number, build in enumerate(history.builds)}

    def rank(candidate: tuple[Any, str, str]) -> tuple[bool, int, str]:
        stage, out, inner = candidate
        return not f"/{out}/{inner}".rstrip("/").endswith(f"/{name}"), order[history.builds_with(stage)[0]], out

    return _as_match(*min(found, key=rank), history) if found else None


def _as_match(stage: Any, out: str, inner: str, history: History) -> Match:
    commits = history.commits_of(history.builds_with(stage))
    commit, subject = (commits[-1].sha, commits[-1].subject) if commits else ("", "")
    return Match(f"{out}/{inner}".rstrip("/"), out, stage.name, commit, subject)


def _nearest_output(path: Path, files: dict[str, Digest], history: History, domain: Domain) -> Output | None:
    """The folder output that shares the most bytes with a folder; of files that differ, the parts that do not count."""
    shared: Counter[tuple[int, str]] = Counter()
    stages = history.stages
    for digest in files.values():
        for stage, out, inner in history.outputs_with(digest.md5):
            if inner and history.builds_with(stage):
                shared[stage.number, out] += digest.size + 1
    order = {build: number for number, build in enumerate(history.builds)}
    ranked = sorted(shared, key=lambda key: (-shared[key], order[history.builds_with(stages[key[0]])[0]], key[1]))
    best, most, own = None, -1.0, cache(lambda name: domain.parts(path / name, name))
    for number, out in ranked[:MAX_NEAREST]:
        members = history.members[stages[number].outs[out]]
        alike = float(shared[number, out])
        for name, digest in files.items():
            if members.get(name, digest.md5) != digest.md5 and (recorded := _intact(members[name], history)):
                alike += digest.size * _share(own(name), domain.parts(recorded, name))
        if alike > most:
            best, most = (_as_match(stages[number], out, "", history), members), alike
    return best


def _share(one: dict[str, str], other: dict[str, str]) -> float:
    return sum(other.get(part) == value for part, value in one.items()) / max(1, len(one))


def _nearest(path: Path, name: str, history: History, domain: Domain) -> tuple[Match | None, list[str], int]:
    """(recorded file of this kind with the most parts in common, what differs, files that were not compared)."""
    own = domain.parts(path, name)
    candidates = list(_of_kind(Path(name).suffix, history))
    best: tuple[int, Match, list[str]] | None = None
    compared = 0
    for md5, recorded in candidates[:MAX_NEAREST]:
        if (intact := _intact(md5, history)) is None:
            continue
        compared += 1
        parts = domain.parts(intact, recorded)
        common = sum(parts.get(part) == value for part, value in own.items())
        if best is None or common > best[0]:
            match = _match(md5, recorded, history)
            best = (common, match, _differences(own, parts)) if match else best
    return (best[1], best[2], len(candidates) - compared) if best else (None, [], len(candidates) - compared)


def _of_kind(suffix: str, history: History) -> Iterator[tuple[str, str]]:
    """(MD5, path) of each recorded file with this suffix, those of the newest builds first."""
    seen = set()
    for stages in history.builds.values():
        for stage in stages:
            for recorded, md5 in history.files(stage).items():
                if Path(recorded).suffix == suffix and not md5.endswith(".dir") and md5 not in seen:
                    seen.add(md5)
                    yield md5, recorded


def _intact(md5: str, history: History) -> Path | None:
    """An object of the cache with the bytes that its name says."""
    path = history.object(md5)
    return path if path.is_file() and digests.of_file(path).md5 == md5 else None


def _differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Parts of two files that differ; of those that one file lacks, with that."""
    return [
        *(part for part in one if part in other and one[part] != other[part]),
        *(f"{part} (not recorded)" for part in one if part not in other),
        *(f"{part} (lacking)" for part in other if part not in one),
    ]


def _phrase(differences: list[str]) -> str:
    more = f" and {len(differences) - MAX_NAMED} more" if differences[MAX_NAMED:] else ""
    return ", ".join(differences[:MAX_NAMED]) + more or "bytes between or after its parts"


def _receipts(root: Path, folder: Path, domain: Domain) -> list[str]:
    """What is wrong with the receipts of a folder, made again from the commit that they name."""
    contents = {}
    for name in (documents.STATEMENT, documents.BILL):
        if not (folder / name).is_file():
            return [f"{name}: missing, beside the other receipt"]
        contents[name] = (folder / name).read_bytes()
    commit = documents.commit_of(contents[documents.STATEMENT])
    if not commit:
        return [f"{documents.STATEMENT}: not a statement of modelmake that names its commit"]
    try:
        again = documents.of(root, folder, commit, domain)
    except UserError as error:
        reasons = str(error).splitlines()
        return [f"{documents.STATEMENT}: cannot be made again of commit {commit[:10]}: {reason}" for reason in reasons]
    edited = [name for name, content in contents.items() if again[name] != content]
    return [f"{name}: not what commit {commit[:10]} and these files give" for name in edited]
