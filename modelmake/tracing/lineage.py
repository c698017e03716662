"""What a stage of a build was made from, back to the raw data; held by content, not by path alone."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from os.path import splitext
from pathlib import PurePath
from typing import NamedTuple

from modelmake import artifacts
from modelmake.keys import key_file
from modelmake.tracing.history import Entry, History

TABLES = {".jsonl", ".parquet"}  # files that may say something of rows


class Maker(NamedTuple):
    """Who made a dependency."""

    entry: Entry
    how: str  # "" where the content agrees; else why that is not known


@dataclass(frozen=True)
class Link:
    """A dependency of a stage: who made it, or that it is data, or that nobody knows."""

    path: str
    md5: str
    makers: tuple[Maker, ...]
    lost: str = ""  # why its maker cannot be named


def raw_path(entry: Entry, file: str) -> str:
    """A raw file that a stage's table names, from the project's root: where the stage reads one file or folder."""
    data = [path for path in entry.deps if path != entry.key_file]
    if len(data) != 1:
        return file
    return data[0] if PurePath(data[0]).name == file else f"{data[0]}/{file}"


class Lineage:
    """The links of one history's builds."""

    def __init__(self, history: History, model_suffixes: frozenset[str]) -> None:
        self.history, self.model_suffixes = history, model_suffixes
        self._out_paths = lru_cache(maxsize=None)(self._out_paths)  # type: ignore[method-assign]

    def links(self, build: str, entry: Entry) -> list[Link]:
        """Every dependency of a stage but its key file."""
        return [self._link(build, path, md5) for path, md5 in entry.deps.items() if path != entry.key_file]

    def _out_paths(self, build: str) -> tuple[dict[str, Entry], dict[str, list[Entry]]]:
        """{output: its stage}, and {folder: stages that have outputs below it}."""
        outs = {path: entry for entry in self.history.builds[build] for path in entry.outs}
        above: dict[str, list[Entry]] = {}
        for path, entry in outs.items():
            while "/" in path:
                path = path.rpartition("/")[0]
                above.setdefault(path, []).append(entry)
        return outs, above

    def _link(self, build: str, path: str, md5: str) -> Link:
        outs, above = self._out_paths(build)
        covering = path
        while covering and covering not in outs:
            covering = covering.rpartition("/")[0]
        if covering:
            entry = outs[covering]
            inner = path[len(covering) + 1 :]
            made = self._content(entry.outs[covering], inner)
            if made == md5:
                return Link(path, md5, (Maker(entry, ""),))
            if made is None:
                return Link(path, md5, (Maker(entry, f"by its path: the list of {covering} is not in the cache"),))
            return self._elsewhere(path, md5, f"{entry.stage} of this build made another {path}")
        if path in above:  # a folder that stages fill
            found = dict.fromkeys(above[path])
            return Link(path, md5, tuple(Maker(entry, "by its path") for entry in found))
        return Link(path, md5, ())

    def _content(self, md5: str, inner: str) -> str | None:
        """What an output, or a file or folder in it, is; None where that is not known, "" where it is not there."""
        if not inner:
            return md5
        members = self.history.members.get(md5)
        if members is None or inner in members:
            return None if members is None else members[inner]
        below = {name.removeprefix(f"{inner}/"): md5 for name, md5 in members.items() if name.startswith(f"{inner}/")}
        return artifacts.folder_md5(dict(sorted(below.items()))) if below else ""

    def _elsewhere(self, path: str, md5: str, why: str) -> Link:
        """The maker in any other build: dvc.lock may hold a stage whose input was made anew since."""
        for entry, out, inner in self.history.holding(md5):
            if f"{out}/{inner}".rstrip("/") == path and self.history.having(entry.number):
                return Link(path, md5, (Maker(entry, ""),))
        return Link(path, md5, (), f"{why}, and no other build has this one")

    def chain(self, build: str, entry: Entry) -> list[tuple[str, Entry]]:
        """(build, stage) of all that a stage was made from, and itself: makers first."""
        order: dict[int, tuple[str, Entry]] = {}
        self._walk(build, entry, order, set())
        return list(order.values())

    def _walk(self, build: str, entry: Entry, order: dict[int, tuple[str, Entry]], seen: set[int]) -> None:
        seen.add(entry.number)
        for link in self.links(build, entry):
            for maker in link.makers:
                if maker.entry.number not in seen:
                    self._walk(self.build_of(build, maker.entry), maker.entry, order, seen)
        order[entry.number] = (build, entry)

    def build_of(self, build: str, entry: Entry) -> str:
        """The build itself where it has the stage, else the newest that does."""
        return build if entry in self.history.builds[build] else self.history.having(entry.number)[0]

    def is_model(self, path: str, md5: str) -> bool:
        """Whether an output has weights in it. Where nobody knows what is in a folder, it may have."""
        suffixes = self._suffixes(path, md5)
        return bool(suffixes & self.model_suffixes) if suffixes is not None else path != key_file.FOLDER

    def makes_model(self, entry: Entry) -> bool:
        return any(self.is_model(path, md5) for path, md5 in entry.outs.items())

    def may_hold_tables(self, path: str, md5: str) -> bool:
        """Whether an output is a table, or a folder that has one, or of which nobody knows."""
        suffixes = self._suffixes(path, md5)
        return bool(suffixes & TABLES) if suffixes is not None else path != key_file.FOLDER

    def _suffixes(self, path: str, md5: str) -> set[str] | None:
        """Of the files of an output; of those that other builds had there where its list is not in the cache."""
        if not md5.endswith(".dir"):
            return {splitext(path)[1]}
        if md5 in self.history.members:
            return {splitext(name)[1] for name in self.history.members[md5]}
        return self._other_builds.get(path)

    @cached_property
    def _other_builds(self) -> dict[str, set[str]]:
        """{output: suffixes of files that any build had in it}."""
        found: dict[str, set[str]] = {}
        for entry in self.history.entries.values():
            for path, md5 in entry.outs.items():
                if md5 in self.history.members:
                    found.setdefault(path, set()).update(splitext(n)[1] for n in self.history.members[md5])
        return found
