"""The reasons why a stage is not fresh, in phrases: a parameter, file, function, constant or package."""

import difflib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modelmake.artifacts import Files, files_md5
from modelmake.dvc.reproduction import Records
from modelmake.keys import key_file, stage_key
from modelmake.planning import recorded_content
from modelmake.planning.forecast import Forecast, Status

MAX_FILES = 3  # of a folder, named one by one
MAX_CHARS = 100  # of a change that is printed whole


def phrases(root: Path, records: Records, forecast: Forecast, new_keys: Path) -> list[str]:
    """Every reason. `new_keys` is the folder with the keys of the code as it is now."""
    node = forecast.node
    result = [f"{path} is missing" for path in forecast.missing]
    if node.always:
        return [*result, "runs every time"]
    if node.cmd is not None and node.recorded_cmd is None:
        return [*result, "not in dvc.lock yet"]
    if node.recorded_cmd != node.cmd:
        result.append(f"command {_command(node.recorded_cmd or '', node.cmd or '')}")
    for section in node.params:
        result += parameters(section, node.recorded_params.get(section, ...), node.params[section])
    for path in forecast.changed:
        recorded, now = node.deps[path], forecast.known[path]
        if recorded is None:
            result.append(f"{path} is a new input")
        elif key_file.is_in_folder(path) and "" in now:
            result += _key(root, path, recorded, new_keys / path.removeprefix(f"{key_file.FOLDER}/"))
        else:
            result += _files(root, records, path, recorded, now)
    result += [f"output {out} {problem}" for out, problem in forecast.lost.items() if out not in forecast.missing]
    if forecast.finished:
        result.append("finished before: its outputs are kept and will be published")
    if forecast.checkpoint:
        result.append("resumes from its checkpoint")
    if forecast.status == Status.MAY_RUN or not result:
        makers = dict.fromkeys(name for names in forecast.makers.values() for name in names)
        result += [f"waits for {', '.join(makers)}"] if makers else []
    return list(dict.fromkeys(result))  # a file may be an input and in the key too


def _command(old: str, new: str) -> str:
    """The words that differ, after their flag: `--suite chat -> text`."""
    a, b, changes = old.split(), new.split(), []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag != "equal":
            flag = f"{a[i - 1]} " if i and a[i - 1].startswith("-") else ""
            changes.append(f"{flag}{' '.join(a[i:j]) or 'nothing'} -> {' '.join(b[k:m]) or 'nothing'}")
    return ", ".join(changes) or "white space"


def parameters(name: str, old: Any, new: Any) -> Iterator[str]:
    """A phrase for each field that differs, by its dotted name; `...` is an absent field."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for field in old | new:
            yield from parameters(f"{name}.{field}", old.get(field, ...), new.get(field, ...))
    elif old is ... or new is ... or old != new:
        yield f"parameter {name} {_change(old, new)}"


def _change(old: Any, new: Any) -> str:
    change = f"{_value(old)} -> {_value(new)}"
    if len(change) <= MAX_CHARS:
        return change
    if not (isinstance(old, list) and isinstance(new, list)):
        return f"{_value(old)[: MAX_CHARS // 2]}… -> {_value(new)[: MAX_CHARS // 2]}…"
    removed = [f"without {_value(item)}" for item in old if item not in new]
    added = [f"with {_value(item)}" for item in new if item not in old]
    return ", ".join(removed + added) or "in another order"


def _value(value: Any) -> str:
    return "absent" if value is ... else json.dumps(value, ensure_ascii=False, default=str)


def _key(root: Path, path: str, recorded: str, now: Path) -> list[str]:
    """The functions, constants, files and packages that differ between the recorded key and that of now."""
    before = recorded_content.file(root, path, recorded)
    if before is None:
        return [f"{path}: code or packages; the recorded key is neither on disk nor in git, so which is unknown"]
    return stage_key.difference(json.loads(before), json.loads(now.read_bytes())) or [f"file {path}"]


def _files(root: Path, records: Records, path: str, recorded: str, now: Files) -> list[str]:
    """The files of an input that differ; the input alone where its recorded content is not known."""
    if "" in now:
        return [f"file {path}"]
    before = _outputs_within(records, path)
    if files_md5(before) != recorded:
        before = records.cache.whole(recorded) or recorded_content.folder(root, path, recorded)
    if before is None:
        return [f"folder {path}"]
    names = sorted(name for name in before | now if before.get(name) != now.get(name))
    changes = {name: " added" if name not in before else " removed" if name not in now else "" for name in names}
    rest = [f"{len(names) - MAX_FILES} more files of {path}"] if len(names) > MAX_FILES else []
    return [f"file {path}/{name}{changes[name]}" for name in names[:MAX_FILES]] + rest


def _outputs_within(records: Records, path: str) -> Files:
    """{relative path: MD5} of the recorded outputs in a folder."""
    outs = {out: md5 for node in records.nodes.values() for out, md5 in node.outs.items()}
    return {
        f"{out[len(path) + 1 :]}/{name}".rstrip("/"): value
        for out, md5 in outs.items()
        if out.startswith(f"{path}/")
        for name, value in (records.cache.whole(md5) or {}).items()
    }
