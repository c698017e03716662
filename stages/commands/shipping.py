"""Whether the build of a commit may ship a model, by its gates; and what they measured."""

from pathlib import Path
from typing import Any

from modelmake.blaming import revisions
from modelmake.errors import UserError
from stages.commands import gate, looks
from stages.evaluating.verdicts import ALLOW


def refusals(root: Path, commit: str, weights: str) -> tuple[list[str], list[str]]:
    """(why the gates that a commit records let a model not ship, a phrase each, none where they say ALLOW; their file).

    Args:
        weights: the model's path, "" if it is not known; gates must look at the model, or at one it was made from.
    """
    path = gate.deciding(root).flags["gate"]
    try:
        content, until = gate.committed(root, path, commit)
        decided = gate.decoded(content, path, commit)
    except UserError as error:
        return [str(error).removeprefix(f"--rev {commit}: ")], [path]
    gates = gate.judged(decided, looks.spent(root, path, decided, until)[0], "")["gates"]
    if not gates:
        return ["none is declared, so nothing is proven: add some to compare.gates"], [path]
    reasons = [
        f"{name}: {found['verdict']}: {found['why']}" for name, found in gates.items() if found["verdict"] != ALLOW
    ]
    names = _names(root, commit, weights)
    if names and not {found.get("model") for found in gates.values()} & {*names}:
        reasons.append(f"none looks at {' or '.join(names)}, which ships: add one to compare.gates")
    return reasons, [path]


def _names(root: Path, commit: str, weights: str) -> list[str]:
    """The names by which gates know the model at a path: its own, and that of the model it was quantized from."""
    stages = revisions.read(root, commit).stages.values()
    makers = [stage for stage in stages if any(f"{weights}/".startswith(f"{out}/") for out in stage.outs)]
    sources = [value for stage in makers for name, value in stage.params.items() if name.endswith(".from")]
    return [Path(weights).name, *map(str, sources)] if weights else []


def figures(root: Path, commit: str) -> dict[str, float]:
    """{gate: value} as a commit records them; empty where it has none that can be read."""
    try:
        path = gate.deciding(root).flags["gate"]
        found: dict[str, Any] = gate.decoded(gate.committed(root, path, commit)[0], path, commit)["gates"]
    except UserError:
        return {}
    return {name: entry["value"] for name, entry in found.items() if "value" in entry}
