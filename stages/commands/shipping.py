"""Whether the build of a commit may ship a model, by its gates and by parity; and what gates measured."""

import json
import re
from pathlib import Path
from typing import Any

from modelmake import artifacts
from modelmake.blaming import revisions
from modelmake.blaming.revisions import Revision
from modelmake.dvc import stores
from modelmake.errors import UserError
from modelmake.verifying.survey import is_within
from stages.commands import gate, looks
from stages.evaluating.verdicts import ALLOW

SOURCE = re.compile(r"quantize\.(?P<quant>.+)\.from")  # the parameter that names a quantized file's model
PASS = "pass"


def refusals(root: Path, commit: str, weights: str) -> tuple[list[str], list[str]]:
    """(why a commit's build does not let a model ship, a phrase each, none where it may; the files that decided).

    Args:
        weights: the model's path, "" if it is not known; gates must look at the model, or at the one it was quantized
            from, and a quantized file must have passed parity with that.
    """
    path = gate.deciding(root).flags["gate"]
    try:
        build = revisions.read(root, commit)
    except UserError as error:
        return [str(error)], [path]
    reports = [f"reports/parity/{quant}.json" for quant in _sources(build, weights)]
    lost = [reason for report in reports if (reason := _lost(root, build, report))]
    return [*_of_gates(root, commit, path, names(build, weights)), *lost], [path, *reports]


def _of_gates(root: Path, commit: str, path: str, names: list[str]) -> list[str]:
    try:
        content, until = gate.committed(root, path, commit)
        decided = gate.decoded(content, path, commit)
    except UserError as error:
        return [str(error).removeprefix(f"--rev {commit}: ")]
    gates = gate.judged(decided, looks.spent(root, path, decided, until)[0], "")["gates"]
    if not gates:
        return ["none is declared, so nothing is proven: add some to compare.gates"]
    reasons = [
        f"{name}: {found['verdict']}: {found['why']}" for name, found in gates.items() if found["verdict"] != ALLOW
    ]
    if names and not {found.get("model") for found in gates.values()} & {*names}:
        reasons.append(f"none looks at {' or '.join(names)}, which ships: add one to compare.gates")
    return reasons


def names(build: Revision, weights: str) -> list[str]:
    """The names by which gates know the model at a path: its own, and that of the model it was quantized from."""
    return [Path(weights).name, *_sources(build, weights).values()] if weights else []


def _sources(build: Revision, weights: str) -> dict[str, str]:
    """{quant: the model that it was made from} of the stages of `quantize` that made a path."""
    makers = [stage for stage in build.stages.values() if any(is_within(weights, out) for out in stage.outs)]
    found = ((SOURCE.fullmatch(name), value) for stage in makers for name, value in stage.params.items())
    return {match["quant"]: str(value) for match, value in found if match}


def _lost(root: Path, build: Revision, report: str) -> str:
    """Why a quantized file is not as good as its model, by the report of `parity` that a build records; "" if it is."""
    md5 = next((stage.outs[report] for stage in build.stages.values() if report in stage.outs), "")
    if not md5:
        return f"{report}: not in dvc.lock: want the parity of what ships; run `dvc repro`"
    content = _object(root, md5)
    if content is None:
        return f"{report}: not in the cache and not on the remote: want to read it; run `dvc pull {report}`"
    found = json.loads(content)
    return "" if found["verdict"] == PASS else f"{report}: {found['verdict']}: {'; '.join(found['why'])}"


def _object(root: Path, md5: str) -> bytes | None:
    """An object of the cache or of the default remote, with the bytes that its name says; None where neither has it."""
    remote, _ = stores.default_remote(root)
    for store in (stores.cache(root), *([stores.remote(root, remote)] if remote else [])):
        try:
            content = stores.read(store, md5)
        except FileNotFoundError:
            continue
        if artifacts.md5(content) == md5:
            return content
    return None


def figures(root: Path, commit: str) -> dict[str, float]:
    """{gate: value} as a commit records them; empty where it has none that can be read."""
    try:
        path = gate.deciding(root).flags["gate"]
        found: dict[str, Any] = gate.decoded(gate.committed(root, path, commit)[0], path, commit)["gates"]
    except UserError:
        return {}
    return {name: entry["value"] for name, entry in found.items() if "value" in entry}
