"""Why a stage is not fresh, in phrases: which parameter, file, function, constant or package."""

import difflib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modelmake.artifacts import Files, files_md5
from modelmake.dvc.reproduction import Records
from modelmake.keys import key_file, stage_key
from modelmake.planning import recorded_content
from modelmake.planning.forecast import MAY, Forecast

NAMED = 3  # files of a folder that are named one by one
LONG = 100  # characters of a change that is shown whole


def phrases(root: Path, records: Records, forecast: Forecast, new_keys: Path) -> list[str]:
    """Every reason; `new_keys` is the folder that holds the keys of now."""
    node = forecast.node
    found = [f"{path} is missing" for path in forecast.missing]
    if node.always:
        return [*found, "runs every time"]
    if node.cmd is not None and node.recorded_cmd is None:
        return [*found, "not in dvc.lock yet"]
    if node.recorded_cmd != node.cmd:
        found.append(f"command {_words(node.recorded_cmd or '', node.cmd or '')}")
    for section in node.params:
        found += _parameters(section, node.recorded_params.get(section, ...), node.params[section])
    for path in forecast.changed:
        recorded, now = node.deps[path], forecast.known[path]
        if recorded is None:
            found.append(f"{path} is a new input")
        elif path.startswith(f"{key_file.FOLDER}/") and "" in now:
            found += _key(root, path, recorded, new_keys / path.removeprefix(f"{key_file.FOLDER}/"))
        else:
            found += _files(root, records, path, recorded, now)
    found += [f"output {out} {word}" for out, word in forecast.lost.items() if out not in forecast.missing]
    if forecast.finished:
        found.append("finished before: what it made is kept and will be published")
    if forecast.checkpoint:
        found.append("goes on from its checkpoint")
    if forecast.status == MAY or not found:
        makers = dict.fromkeys(name for names in forecast.makers.values() for name in names)
        found += [f"waits for {', '.join(makers)}"] if makers else []
    return list(dict.fromkeys(found))  # a template is an input, and in the key


def _words(old: str, new: str) -> str:
    """The words that differ, after the flag that they belong to: `--suite chat -> text`."""
    a, b, found = old.split(), new.split(), []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag != "equal":
            flag = f"{a[i - 1]} " if i and a[i - 1].startswith("-") else ""
            found.append(f"{flag}{' '.join(a[i:j]) or 'nothing'} -> {' '.join(b[k:m]) or 'nothing'}")
    return ", ".join(found) or "white space"


def _parameters(name: str, old: Any, new: Any) -> Iterator[str]:
    """By field, dotted; `...` stands for no such field."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for field in old | new:
            yield from _parameters(f"{name}.{field}", old.get(field, ...), new.get(field, ...))
    elif old is ... or new is ... or old != new:
        yield f"parameter {name} {_change(old, new)}"


def _change(old: Any, new: Any) -> str:
    change = f"{_value(old)} -> {_value(new)}"
    if len(change) <= LONG or not (isinstance(old, list) and isinstance(new, list)):
        return change if len(change) <= LONG else f"{_value(old)[: LONG // 2]}… -> {_value(new)[: LONG // 2]}…"
    gone = [f"without {_value(item)}" for item in old if item not in new]
    added = [f"with {_value(item)}" for item in new if item not in old]
    return ", ".join(gone + added) or "in another order"


def _value(value: Any) -> str:
    return "absent" if value is ... else json.dumps(value, ensure_ascii=False, default=str)


def _key(root: Path, path: str, recorded: str, now: Path) -> list[str]:
    before = recorded_content.file(root, path, recorded)
    if before is None:
        return [f"{path}: code or packages; which is unknown, for the key of then is neither on disk nor in git"]
    return stage_key.difference(json.loads(before), json.loads(now.read_bytes())) or [f"file {path}"]


def _files(root: Path, records: Records, path: str, recorded: str, now: Files) -> list[str]:
    if "" in now:
        return [f"file {path}"]
    before = _gathered(records, path)
    if files_md5(before) != recorded:
        before = records.cache.whole(recorded) or recorded_content.folder(root, path, recorded)
    if before is None:
        return [f"folder {path}"]
    names = sorted(name for name in before | now if before.get(name) != now.get(name))
    words = {name: " added" if name not in before else " removed" if name not in now else "" for name in names}
    more = [f"{len(names) - NAMED} more files of {path}"] if len(names) > NAMED else []
    return [f"file {path}/{name}{words[name]}" for name in names[:NAMED]] + more


def _gathered(records: Records, path: str) -> Files:
    """What the outs in a folder were as recorded."""
    outs = {out: known for node in records.nodes.values() for out, known in node.outs.items()}
    return {
        f"{out[len(path) + 1 :]}/{name}".rstrip("/"): value
        for out, known in outs.items()
        if out.startswith(f"{path}/")
        for name, value in (records.cache.whole(known) or {}).items()
    }
