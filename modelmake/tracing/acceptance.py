"""Built here, or accepted by `dvc commit` or on a probe: the record of a stage, compared with the runs here."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from modelmake import identity
from modelmake.running import run_log
from modelmake.running.run_log import Run
from modelmake.tracing.lock_entries import LockedStage
from modelmake.verifying import probe_acceptances
from modelmake.verifying.probe_acceptances import Acceptance

BUILT, ACCEPTED, UNKNOWN = "built", "accepted", "unknown"


def state(
    stage: LockedStage, runs: list[Run], versions: Iterable[LockedStage], probed: Iterable[Acceptance], root: Path
) -> dict[str, Any]:
    """{state, message, started, seconds, differs} of a stage's record, judged by the runs of the stage.

    Args:
        versions: the records of the stage in all builds: the inputs of a run are looked up there.
        probed: acceptances on a probe, of any stage.
    """
    same_inputs, same_outputs, run = run_log.alike(runs, identity.of_lock(stage.record), stage.outs)
    if run:
        return _state(BUILT, f"built here {run['started']} in {run['seconds']} s", run)
    for acceptance in probed:
        if acceptance.stage == stage.name and acceptance.holds(stage.record):
            if date := probe_acceptances.proven(root, acceptance):
                return _state(BUILT, f"{acceptance.words}; the rebuild of {date} gave the same bytes")
            words = probe_acceptances.in_words(root, acceptance)
            return _state(ACCEPTED, f"{words}: on the probe the code of {acceptance.commit[:10]} wrote the same bytes")
    if same_inputs:
        run = same_inputs[-1]
        changed = sorted(path for path, md5 in stage.outs.items() if run["outs"].get(path) != md5)
        reason = f"the run of {run['started']} had these inputs and made another {', '.join(changed)}"
        return _state(ACCEPTED, f"accepted, not rebuilt: {reason}", run, changed)
    if same_outputs:
        run = same_outputs[-1]
        origin = next((version for version in versions if identity.of_lock(version.record) == run["identity"]), None)
        changes = list(differences(origin, stage)) if origin else []
        since = f"; changed since: {', '.join(changes)}" if changes else ""
        reason = f"its bytes come from the run of {run['started']}, which had other inputs{since}"
        return _state(ACCEPTED, f"accepted, not rebuilt: {reason}", run, changes)
    if runs:
        return _state(UNKNOWN, "no run here had these inputs: built on another machine, or accepted by dvc commit")
    return _state(UNKNOWN, "no record here")


def _state(state: str, message: str, run: Run | None = None, differs: Iterable[str] = ()) -> dict[str, Any]:
    times = {"started": run["started"], "seconds": run["seconds"]} if run else {"started": None, "seconds": None}
    return {"state": state, "message": message, **times, "differs": list(differs)}


def differences(old: LockedStage, new: LockedStage) -> Iterator[str]:
    """The command, inputs and parameters that differ between two records of a stage, a phrase each."""
    if old.record.get("cmd") != new.record.get("cmd"):
        yield "the command"
    for path in sorted(old.deps.keys() | new.deps.keys()):
        if old.deps.get(path) != new.deps.get(path):
            yield "code or packages" if path == new.key_file else path
    for name in sorted(old.params.keys() | new.params.keys()):
        if old.params.get(name) != new.params.get(name):
            yield f"{name} {_value(old.params, name)} -> {_value(new.params, name)}"


def _value(values: dict[str, Any], name: str) -> str:
    return json.dumps(values[name], ensure_ascii=False) if name in values else "(none)"
