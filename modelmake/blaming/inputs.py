"""The inputs that differ between two builds, as far as the stages before a target read them."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from modelmake import artifacts, params
from modelmake.dvc.graph import Stage
from modelmake.keys import key_file, stage_key
from modelmake.planning import reasons
from modelmake.verifying.probe import LOCK, PARAMS
from modelmake.verifying.survey import is_within, join

PACKAGES = (LOCK, "pyproject.toml", ".python-version", "envs")  # what decides the packages, where preflight reads it
GRAPH = "dvc.yaml"
OF_PACKAGES = ("package ", "environment ", "python ")  # beginnings of phrases about keys
OF_VALUES = "1, 1.0 or true among the parameters"  # a phrase about keys, of values that `==` takes for equal


@dataclass(frozen=True)
class Input:
    """An input that differs. It is put back by taking all of this from the older build."""

    name: str
    kind: str  # rows, files, parameters, code, packages, or a name that was asked for
    paths: tuple[str, ...] = ()  # files and folders
    sections: tuple[str, ...] = ()  # of params.yaml, dotted
    details: tuple[str, ...] = ()  # what differs, a phrase each
    contents: Mapping[str, bytes] = field(default_factory=dict)  # {path: content} of files that are put back in part


@dataclass(frozen=True)
class Side:
    """One of the two builds, in a clone with its keys and its data."""

    path: Path  # of the project in the clone
    python: Path  # folder with the `python` of its packages
    stages: Mapping[str, Stage]  # the target and what it is made by, .dvc files as stages without a command
    lacks: str = ""  # why its own packages are not on this machine; then `python` is that of the present ones

    @property
    def writer(self) -> Stage | None:
        """The stage that writes keys: it reads the code, the locks and all parameters."""
        return next((stage for stage in self.stages.values() if key_file.FOLDER in stage.outs), None)

    @property
    def readers(self) -> list[Stage]:
        """The stages that make the target."""
        return [stage for stage in self.stages.values() if stage.cmd and stage is not self.writer]

    def sources(self) -> dict[str, set[str]]:
        """{file or folder that no stage makes: the stages that read it}, without keys."""
        made = [out for stage in self.stages.values() if stage.cmd for out in stage.outs]
        result: dict[str, set[str]] = {}
        for stage in self.readers:
            for dep in stage.deps:
                if not any(is_within(dep, out) or is_within(out, dep) for out in made):
                    result.setdefault(dep, set()).add(stage.name.partition("@")[0])
        return result

    def sections(self) -> dict[str, set[str]]:
        """{section of params.yaml that holds no other's: the stages that read it}."""
        result: dict[str, set[str]] = {}
        for stage in self.readers:
            for name in stage.params:
                result.setdefault(name, set()).add(stage.name.partition("@")[0])
        return result

    def files(self, path: str) -> dict[str, str]:
        """{path from the root: MD5} of a file or of the files in a folder; empty where there is neither."""
        there = self.path / path
        if not there.exists():
            return {}
        files = {name: file.md5 for name, file in artifacts.measure(there).files.items() if not _compiled(name)}
        return {path if there.is_file() else join(path, name): md5 for name, md5 in files.items()}


def _compiled(name: str) -> bool:
    return "__pycache__" in Path(name).parts


def makers(nodes: Mapping[str, Stage], target: str) -> dict[str, Stage]:
    """The target and every node that it is made by, in their order."""
    found, queue = set(), [target]
    while queue:
        if (name := queue.pop()) not in found:
            found.add(name)
            queue += nodes[name].needs
    return {name: node for name, node in nodes.items() if name in found}


def changed(
    old: Side, new: Side, by_file: Collection[str] = (), whole: Mapping[str, str] = MappingProxyType({})
) -> list[Input]:
    """The inputs that differ, in the order rows, files, parameters, code, packages.

    Args:
        by_file: stages (without their items) whose files are inputs of their own: raw rows.
        whole: {stage: name}: the files and sections that this stage alone reads are one input of that name.
    """
    before, now = params.load(old.path / PARAMS), params.load(new.path / PARAMS)
    sources, sections = _joined(old.sources(), new.sources()), _joined(old.sections(), new.sections())
    code = _code_paths(old, new)
    in_code = {path for path in sources if any(is_within(path, folder) for folder in code)}
    rows, found, groups = [], [], {name: Input(name, name) for name in whole.values()}
    gone: list[str] = []  # what only the older build reads
    for path in sorted(sources.keys() - in_code):
        had, has = old.files(path), new.files(path)
        group = groups.get(whole.get(min(sources[path]), "")) if len(sources[path]) == 1 else None
        if had == has:
            continue
        if path not in new.sources():
            gone.append(path)
        elif path not in old.sources():
            continue  # nothing reads it once its section is put back
        elif group:
            groups[group.name] = _with(group, paths=[path], details=_file_phrases(had, has))
        elif sources[path] & {*by_file}:
            rows += _by_file(had, has)
        else:
            found.append(Input(path, "files", (path,), details=tuple(_file_phrases(had, has))))
    for section in _outermost(sections):
        was, now_is = value_of(before, section), value_of(now, section)
        if _same(was, now_is):
            continue
        taken, gone = [path for path in gone if _names(was, path)], [path for path in gone if not _names(was, path)]
        phrases = [phrase.removeprefix("parameter ") for phrase in reasons.parameters(section, was, now_is)]
        phrases = phrases or [f"{section}: {OF_VALUES}"]
        readers = {name for inner, names in sections.items() if is_in(inner, section) for name in names}
        name = whole.get(min(readers), "") if len(readers) == 1 else ""
        if name:
            groups[name] = _with(groups[name], paths=taken, sections=[section], details=phrases)
        else:
            found.append(Input(section, "parameters", tuple(taken), (section,), tuple(phrases)))
    joined = [group for group in groups.values() if group.paths or group.sections]
    return [*rows, *found, *joined, *_code(old, new, code, [*in_code, *gone]), *_packages(old, new)]


def unread(old: Side, new: Side, found: Iterable[Input]) -> list[str]:
    """The sections at the top of params.yaml that differ though no stage before the target reads what differs."""
    before, now = params.load(old.path / PARAMS), params.load(new.path / PARAMS)
    read = {section.partition(".")[0] for change in found for section in change.sections}
    return [name for name in before | now if not _same(before.get(name, ...), now.get(name, ...)) and name not in read]


def value_of(values: Any, section: str) -> Any:
    """The value of a dotted section; `...` where there is none."""
    for part in section.split("."):
        if not isinstance(values, dict) or part not in values:
            return ...
        values = values[part]
    return values


def put(values: dict[str, Any], section: str, value: Any) -> None:
    """Sets the value of a dotted section, or removes it for `...`."""
    *outer, last = section.split(".")
    for part in outer:
        values = values.setdefault(part, {})
    if value is ...:
        values.pop(last, None)
    else:
        values[last] = value


def is_in(section: str, outer: str) -> bool:
    """True for a dotted section that is another or in it."""
    return f"{section}.".startswith(f"{outer}.")


def together(changes: Iterable[Input]) -> Input:
    """Several inputs as one."""
    result = Input("", "")
    for change in changes:
        joined = _with(result, change.paths, change.details, change.sections)
        result = replace(joined, name=f"{result.name} and {change.name}".removeprefix(" and "), kind="together")
    return result


def _joined(old: dict[str, set[str]], new: dict[str, set[str]]) -> dict[str, set[str]]:
    return {name: old.get(name, set()) | new.get(name, set()) for name in old | new}


def _outermost(sections: Iterable[str]) -> list[str]:
    names = sorted(sections)
    return [name for name in names if not any(name != other and is_in(name, other) for other in names)]


def _same(a: Any, b: Any) -> bool:
    """Unlike `==` it tells 1, 1.0 and true apart."""
    return json.dumps(a, sort_keys=True, default=repr) == json.dumps(b, sort_keys=True, default=repr)


def _names(value: Any, path: str) -> bool:
    """True if a path, or one in it, is among the values."""
    if isinstance(value, dict):
        return any(_names(inner, path) for inner in value.values())
    if isinstance(value, list):
        return any(_names(inner, path) for inner in value)
    return isinstance(value, str) and is_within(path, value)


def _with(change: Input, paths: Iterable[str], details: Iterable[str], sections: Iterable[str] = ()) -> Input:
    return replace(
        change, paths=(*change.paths, *paths), sections=(*change.sections, *sections),
        details=(*change.details, *details),
    )  # fmt: skip


def _by_file(had: dict[str, str], has: dict[str, str]) -> Iterator[Input]:
    """An input for each file that differs; a file under another name is one with the one that it was."""
    removed = {md5: path for path, md5 in had.items() if path not in has}
    was = {path: removed[md5] for path, md5 in has.items() if path not in had and md5 in removed}
    for path in sorted(had | has):
        if path in was:
            yield Input(path, "rows", (was[path], path), details=(f"was {was[path]}",))
        elif had.get(path) != has.get(path) and path not in was.values():
            yield Input(path, "rows", (path,), details=(_state(path, had, has),))


def _file_phrases(had: dict[str, str], has: dict[str, str]) -> list[str]:
    return [f"{path} {_state(path, had, has)}" for path in sorted(had | has) if had.get(path) != has.get(path)]


def _state(path: str, had: Collection[str], has: Collection[str]) -> str:
    return "added" if path not in had else "removed" if path not in has else "changed"


def _code_paths(old: Side, new: Side) -> list[str]:
    """The files and folders with code, and the graph."""
    deps = {dep for side in (old, new) if side.writer for dep in side.writer.deps}
    return [GRAPH, *sorted(deps - {PARAMS, *PACKAGES})]


def _key_phrases(old: Side, new: Side) -> list[str]:
    """What differs between the keys of the stages that both builds have."""
    names = [stage.name for stage in new.readers if stage.name in old.stages]
    keys = [(key_file.read(old.path, name), key_file.read(new.path, name)) for name in names]
    return sorted({phrase for was, now in keys if was != now for phrase in stage_key.difference(was, now)})


def _differ(old: Side, new: Side, paths: Iterable[str]) -> list[str]:
    return [path for path in paths if old.files(path) != new.files(path)]


def _code(old: Side, new: Side, paths: list[str], read: list[str]) -> Iterator[Input]:
    """The code, if it differs, and so do keys, what stages `read` of it, or the graph of these stages."""
    differing, inputs = _differ(old, new, paths), _differ(old, new, sorted(read))
    phrases = [p for p in _key_phrases(old, new) if not p.startswith(OF_PACKAGES) and p != OF_VALUES]
    phrases += [f"file {path}" for path in inputs]
    if GRAPH in differing and [*map(_shape, old.readers)] != [*map(_shape, new.readers)]:
        phrases.append(f"the graph in {GRAPH}")
    if differing and phrases:
        yield Input("code", "code", tuple(dict.fromkeys([*differing, *inputs])), details=tuple(phrases))


def _shape(stage: Stage) -> tuple[Any, ...]:
    return stage.name, stage.cmd, sorted(stage.deps), sorted(stage.outs)


def _packages(old: Side, new: Side) -> Iterator[Input]:
    differing = _differ(old, new, PACKAGES)
    phrases = [phrase for phrase in _key_phrases(old, new) if phrase.startswith(OF_PACKAGES)]
    if differing and phrases:
        yield Input("packages", "packages", tuple(differing), details=tuple(phrases))
