"""The stages that made a stage's inputs, back to the raw data. Inputs are matched by content, not by path alone."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from os.path import splitext
from pathlib import PurePath
from typing import NamedTuple

from modelmake import artifacts
from modelmake.keys import key_file
from modelmake.tracing.history import History
from modelmake.tracing.lock_entries import LockedStage

TABLES = {".jsonl", ".parquet"}  # suffixes of files that may be tables of rows


class Maker(NamedTuple):
    stage: LockedStage
    doubt: str = ""  # why the maker is not certain; "" where the content agrees


@dataclass(frozen=True)
class Link:
    """An input of a stage. It is raw data where it has no makers and is not lost."""

    path: str
    md5: str
    makers: tuple[Maker, ...] = ()
    lost: str = ""  # why its maker cannot be named


def raw_path(stage: LockedStage, file: str) -> str:
    """The path from the project's root of a raw file in a stage's table, if the stage reads one file or folder."""
    inputs = [path for path in stage.deps if not key_file.is_in_folder(path)]
    if len(inputs) != 1:
        return file
    return inputs[0] if PurePath(inputs[0]).name == file else f"{inputs[0]}/{file}"


class Lineage:
    """The links between the stages of a history."""

    def __init__(self, history: History, model_suffixes: frozenset[str]) -> None:
        self.history, self.model_suffixes = history, model_suffixes
        self._makers = lru_cache(maxsize=None)(self._makers)  # type: ignore[method-assign]

    def links(self, build: str, stage: LockedStage) -> list[Link]:
        """Every input of a stage but what preflight wrote: its key is shown as code and packages."""
        return [self._link(build, path, md5) for path, md5 in stage.deps.items() if not key_file.is_in_folder(path)]

    def _makers(self, build: str) -> tuple[dict[str, LockedStage], dict[str, list[LockedStage]]]:
        """{output: its stage} of a build, and {folder: the stages with outputs in it}."""
        outs = {path: stage for stage in self.history.builds[build] for path in stage.outs}
        inside: dict[str, list[LockedStage]] = {}
        for path, stage in outs.items():
            while "/" in path:
                path = path.rpartition("/")[0]
                inside.setdefault(path, []).append(stage)
        return outs, inside

    def _link(self, build: str, path: str, md5: str) -> Link:
        outs, inside = self._makers(build)
        out = path  # the path itself, or the folder output that it lies in
        while out and out not in outs:
            out = out.rpartition("/")[0]
        if out:
            stage = outs[out]
            recorded = self._md5_within(stage.outs[out], path[len(out) + 1 :])
            if recorded == md5:
                return Link(path, md5, (Maker(stage),))
            if recorded is None:
                return Link(path, md5, (Maker(stage, f"by its path: the list of {out} is not in the cache"),))
            return self._link_elsewhere(path, md5, f"{stage.name} of this build made another {path}")
        if path in inside:  # a folder that several stages fill
            return Link(path, md5, tuple(Maker(stage, "by its path") for stage in dict.fromkeys(inside[path])))
        return Link(path, md5)

    def _md5_within(self, md5: str, inner: str) -> str | None:
        """The MD5 of a file or folder in an output; "" where it is not there, None where that is not known."""
        if not inner:
            return md5
        members = self.history.members.get(md5)
        if members is None or inner in members:
            return None if members is None else members[inner]
        below = {name.removeprefix(f"{inner}/"): md5 for name, md5 in members.items() if name.startswith(f"{inner}/")}
        return artifacts.folder_md5(below) if below else ""

    def _link_elsewhere(self, path: str, md5: str, reason: str) -> Link:
        """The maker in any other build. A dvc.lock may hold a stage together with a newer version of its input."""
        for stage, out, inner in self.history.outputs_with(md5):
            if f"{out}/{inner}".rstrip("/") == path and self.history.builds_with(stage):
                return Link(path, md5, (Maker(stage),))
        return Link(path, md5, lost=f"{reason}, and no other build has this one")

    def chain(self, build: str, stage: LockedStage) -> list[tuple[str, LockedStage]]:
        """(build, stage) of all stages that a stage was made from, makers first, and of itself, last."""
        order: dict[int, tuple[str, LockedStage]] = {}
        self._walk(build, stage, order, set())
        return list(order.values())

    def _walk(
        self, build: str, stage: LockedStage, order: dict[int, tuple[str, LockedStage]], visited: set[int]
    ) -> None:
        visited.add(stage.number)
        for link in self.links(build, stage):
            for maker in link.makers:
                if maker.stage.number not in visited:
                    self._walk(self.build_of(build, maker.stage), maker.stage, order, visited)
        order[stage.number] = (build, stage)

    def build_of(self, build: str, stage: LockedStage) -> str:
        """The build itself where it has the stage, else the newest build that does."""
        return build if stage in self.history.builds[build] else self.history.builds_with(stage)[0]

    def is_model(self, path: str, md5: str) -> bool:
        """An output is a model if it has a file with one of `model_suffixes`, or if its files are not known."""
        suffixes = self._suffixes(path, md5)
        return path != key_file.FOLDER if suffixes is None else bool(suffixes & self.model_suffixes)

    def makes_model(self, stage: LockedStage) -> bool:
        return any(self.is_model(path, md5) for path, md5 in stage.outs.items())

    def may_hold_tables(self, path: str, md5: str) -> bool:
        """An output may hold tables if it has a file with one of their suffixes, or if its files are not known."""
        suffixes = self._suffixes(path, md5)
        return path != key_file.FOLDER if suffixes is None else bool(suffixes & TABLES)

    def _suffixes(self, path: str, md5: str) -> set[str] | None:
        """Suffixes of an output's files; where its listing is not in the cache, of the files in other builds there."""
        if not md5.endswith(".dir"):
            return {splitext(path)[1]}
        if md5 in self.history.members:
            return {splitext(name)[1] for name in self.history.members[md5]}
        return self._suffixes_by_path.get(path)

    @cached_property
    def _suffixes_by_path(self) -> dict[str, set[str]]:
        """{output: suffixes of the files that any build had in it}."""
        result: dict[str, set[str]] = {}
        for stage in self.history.stages.values():
            for path, md5 in stage.outs.items():
                if md5 in self.history.members:
                    result.setdefault(path, set()).update(splitext(name)[1] for name in self.history.members[md5])
        return result
