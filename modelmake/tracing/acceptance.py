"""Whether a stage's recorded outputs were built from its recorded inputs here, or accepted by `dvc commit`."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from modelmake import identity
from modelmake.running import run_log
from modelmake.tracing.history import Entry

BUILT, ACCEPTED, UNKNOWN = "built", "accepted", "unknown"


def runs(root: Path) -> dict[str, list[dict[str, Any]]]:
    """{stage: its finished runs on this machine, oldest first}, of those that say what they ran from and made."""
    found: dict[str, list[dict[str, Any]]] = {}
    for run in run_log.read(root):
        if run.get("outcome") == "done" and "identity" in run and "outs" in run:
            found.setdefault(run["stage"], []).append(run)
    return found


def state(entry: Entry, runs: list[dict[str, Any]], others: Iterable[Entry]) -> dict[str, Any]:
    """{state, told, started, seconds, differs}: what this machine's runs of the stage say of a lock entry.

    `others` are the entries of the stage in all builds: in them stands what a run was made from.
    """
    built_from = identity.of_lock(entry.content)
    same = [run for run in runs if run["identity"] == built_from]
    equal = [run for run in runs if run["outs"] == entry.outs]
    run = next((run for run in reversed(same) if run in equal), None)
    if run:
        return _told(BUILT, f"built here {run['started']} in {run['seconds']} s", run)
    if same:
        changed = sorted(path for path, md5 in entry.outs.items() if same[-1]["outs"].get(path) != md5)
        told = f"accepted, not rebuilt: the run of {same[-1]['started']} made another {', '.join(changed)}"
        return _told(ACCEPTED, told, same[-1], changed)
    if equal:
        run = equal[-1]
        was = next((e for e in others if identity.of_lock(e.content) == run["identity"]), None)
        differs = list(differences(was, entry)) if was else []
        because = f"; changed since: {', '.join(differs)}" if differs else ""
        told = f"accepted, not rebuilt: its bytes are of the run of {run['started']}, from other inputs{because}"
        return _told(ACCEPTED, told, run, differs)
    if runs:
        return _told(UNKNOWN, "no run here had these inputs: built on another machine, or accepted by dvc commit")
    return _told(UNKNOWN, "no record here")


def _told(state: str, told: str, run: dict[str, Any] | None = None, differs: Iterable[str] = ()) -> dict[str, Any]:
    when = {"started": run["started"], "seconds": run["seconds"]} if run else {"started": None, "seconds": None}
    return {"state": state, "told": told, **when, "differs": list(differs)}


def differences(old: Entry, new: Entry) -> Iterator[str]:
    """What another entry of the stage is made from that is not the same, in a few words each."""
    if old.content.get("cmd") != new.content.get("cmd"):
        yield "the command"
    for path in sorted(old.deps.keys() | new.deps.keys()):
        if old.deps.get(path) != new.deps.get(path):
            yield "code or packages" if path == new.key_file else path
    before, now = parameters(old), parameters(new)
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            yield f"{name} {_value(before, name)} -> {_value(now, name)}"


def parameters(entry: Entry) -> dict[str, Any]:
    """{dotted name: value} of all that the entry depends on; lists are values."""
    found: dict[str, Any] = {}
    for sections in (entry.content.get("params") or {}).values():
        found.update(_flat(sections, ""))
    return found


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    else:
        yield name, value


def _value(values: dict[str, Any], name: str) -> str:
    return json.dumps(values[name], ensure_ascii=False) if name in values else "(none)"
