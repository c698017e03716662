"""Stages that made other bytes here than git records of the same command, parameters and inputs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelmake import git
from modelmake.errors import UserError

LOCK = "dvc.lock"
MAX_NAMED = 3  # stages, and figures


def difference(root: Path) -> str:
    """What differs from HEAD though nobody edited it, in one line; "" where nothing does, or git cannot be read."""
    try:
        lock, *_ = git.contents(root, [f"HEAD:./{LOCK}"])
    except UserError:
        return ""
    now = (root / LOCK).read_bytes() if (root / LOCK).exists() else None
    if lock is None or now is None or lock == now:
        return ""
    recorded, built = _stages(lock), _stages(now)
    differing = [
        name
        for name, stage in built.items()
        if name in recorded and _inputs(stage) == _inputs(recorded[name]) and _outs(stage) != _outs(recorded[name])
    ]
    if not differing:
        return ""
    outs = {path: md5 for stage in recorded.values() for path, md5 in _outs(stage).items()}
    changed = sorted(p for stage in built.values() for p, md5 in _outs(stage).items() if outs.get(p, md5) != md5)
    committed = dict(zip(changed, git.contents(root, [f"HEAD:./{path}" for path in changed]), strict=True))
    files = {path: content for path, content in committed.items() if content is not None}
    figures = [figure for path, content in files.items() for figure in _figures(root / path, content)]
    figures.sort(key=lambda figure: figure.partition(" ")[0].count("."))  # scores before what is made of them
    shown = f"figures in git and here: {_first(figures, '; ')}" if figures else "no figure in git differs"
    return (
        f"{_first(differing)}: other bytes than in git, made of the same inputs: probably this processor rounds "
        f"otherwise than the one that wrote them, which is expected; {shown}; git shows {', '.join([LOCK, *files])} as "
        "changed: commit them, or leave them"
    )


def _stages(lock: bytes) -> dict[str, dict[str, Any]]:
    from ruamel.yaml import YAML

    return (YAML(typ="safe").load(lock) or {}).get("stages", {})


def _inputs(stage: dict[str, Any]) -> Any:
    return stage.get("cmd"), stage.get("params"), {dep["path"]: dep.get("md5") for dep in stage.get("deps", [])}


def _outs(stage: dict[str, Any]) -> dict[str, Any]:
    return {out["path"]: out.get("md5") for out in stage.get("outs", [])}


def _figures(file: Path, content: bytes) -> Iterator[str]:
    """`dpo.exact_match 0.992 and 0.99` of each number in a JSON file that differs; none of other files."""
    try:
        before, now = dict(_numbers(json.loads(content))), dict(_numbers(json.loads(file.read_bytes())))
    except (OSError, ValueError):
        return
    for name in sorted(before.keys() & now.keys()):
        if figures := _apart(before[name], now[name]):
            yield f"{name} {figures}"


def _apart(old: float, new: float) -> str:
    """`0.9922 and 0.9897`: two figures with the digits that tell them apart, four at least; "" if equal."""
    for digits in range(4, 18):  # 17 tell all numbers apart
        words = [f"{figure:.{digits}g}" for figure in (old, new)]
        if words[0] != words[1]:
            return " and ".join(words)
    return ""


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, value


def _first(phrases: list[str], separator: str = ", ") -> str:
    more = len(phrases) - MAX_NAMED
    return separator.join(phrases[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
