"""What `modelmake blame` says: the plan before it builds, the table after it."""

from dataclasses import asdict
from typing import Any, NamedTuple

from modelmake.blaming.inputs import Input
from modelmake.blaming.mixes import Mix
from modelmake.planning.plan import duration
from stages.commands.blame_effects import SAMPLES, Effects, Moved

MAX_STAGES = 4  # that a line of the plan names
MAX_DETAILS = 3  # of an input


class Part(NamedTuple):
    """A line of the table: an input, or a part of it, that was put back."""

    change: Input
    score: float
    moved: Moved
    share: float | None  # of the whole difference
    otherwise: int  # rows


def plan(mixes: list[tuple[str, Mix]]) -> list[str]:
    """Every build by its name, the stages that it runs, and what they took last time."""
    width = max(len(name) for name, _ in mixes)
    lines = [f"{'build':{width}}  last time  stages that run"]
    for name, mix in mixes:
        took, runs = duration(_seconds(mix)), _runs(mix)
        lines.append(f"{name:{width}}  {took:>9}  {runs}")
    steps = [step for _, mix in mixes for step in mix.steps if not mix.problem]
    unknown = sum(step.seconds is None for step in steps)
    record = f", {unknown} of them without a record here" if unknown else ""
    total = duration(sum(_seconds(mix) for _, mix in mixes if not mix.problem))
    return [*lines, f"together: {len(steps)} stage runs at most, {total} by the last ones on this machine{record}"]


def planned(mixes: list[tuple[str, Mix]]) -> list[dict[str, Any]]:
    """The plan for programs."""
    return [
        {
            "build": name, "stages": [step.stage for step in mix.steps], "seconds": round(_seconds(mix), 2),
            "without_record": [step.stage for step in mix.steps if step.seconds is None], "problem": mix.problem,
        }
        for name, mix in mixes
    ]  # fmt: skip


def change(found: Input) -> str:
    """An input, and what differs in it."""
    more = len(found.details) - MAX_DETAILS
    details = [*found.details[:MAX_DETAILS], *([f"{more} more"] if more > 0 else [])]
    return f"  {found.name} ({found.kind}): {', '.join(details)}"


def table(effects: Effects, parts: list[Part], halves: dict[str, list[Part]], problems: list[Mix]) -> list[str]:
    """The effects, by their size; `halves` are parts of an input, below it."""
    heads = ("input", "put back", "moved it by", "interval", "share", "")
    lines = [heads]
    for part in sorted(parts, key=lambda part: -abs(part.moved.by)):
        lines.append(_line(part, ""))
        lines += [_line(half, "  ") for half in halves.get(part.change.name, [])]
    if effects.beyond:
        words = "they act together" if effects.beyond.shown else "within noise"
        share = effects.beyond.by / effects.difference.by if effects.difference.shown else None
        lines.append(("beyond the sum of each", "", *_figures(effects.beyond, share), words))
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    aligned = ["  ".join(f"{cell:{'<' if n in (0, 5) else '>'}{widths[n]}}" for n, cell in enumerate(line)).rstrip()
               for line in lines]  # fmt: skip
    if effects.empty_draws:
        aligned.append(
            f"{effects.empty_draws:,} of {SAMPLES:,} draws hold no row that counts in one of the builds: left out"
        )
    return [*aligned, *(f"{mix.change.name}: could not be put back: {mix.problem}" for mix in problems if mix.change)]


def verdict(parts: list[Part], problems: list[Mix], beyond: Moved | None) -> str:
    """The causes in one line; that there is none."""
    causes = [part for part in sorted(parts, key=lambda part: -abs(part.moved.by)) if part.moved.shown]
    if causes:
        named = (f"{part.change.name}{f' ({part.share:z.0%})' if part.share is not None else ''}" for part in causes)
        return f"cause: {', '.join(named)}"
    if beyond and beyond.shown and not problems:
        return "cause: none of the inputs alone, several together"
    return "cause: unknown, an input could not be put back" if problems else "cause: none"


def as_json(effects: Effects, parts: list[Part], halves: dict[str, list[Part]], problems: list[Mix]) -> dict[str, Any]:
    """The table for programs."""
    return {
        "rows": effects.rows, "old": effects.old, "new": effects.new, "difference": asdict(effects.difference),
        "inputs": [_part(part) | {"halves": [_part(half) for half in halves.get(part.change.name, [])]}
                   for part in parts],
        "beyond": effects.beyond and asdict(effects.beyond), "empty_draws": effects.empty_draws,
        "not_put_back": {mix.change.name: mix.problem for mix in problems if mix.change},
        "causes": [part.change.name for part in parts if part.moved.shown],
    }  # fmt: skip


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": part.change.name, "kind": part.change.kind, "details": [*part.change.details], "score": part.score,
        "moved": asdict(part.moved), "share": part.share, "otherwise": part.otherwise,
    }  # fmt: skip


def _line(part: Part, indent: str) -> tuple[str, ...]:
    words = "" if part.moved.shown else "within noise" if part.otherwise else "no row scored otherwise"
    return f"{indent}{part.change.name}", f"{part.score:.4f}", *_figures(part.moved, part.share), words


def _figures(moved: Moved, share: float | None) -> tuple[str, str, str]:
    return f"{moved.by:+z.4f}", f"{moved.low:+z.4f} to {moved.high:+z.4f}", "" if share is None else f"{share:z.0%}"


def _runs(mix: Mix) -> str:
    if mix.problem:
        return f"cannot be built: {mix.problem}"
    names = [step.stage for step in mix.steps]
    more = len(names) - MAX_STAGES
    return ", ".join([*names[:MAX_STAGES], *([f"{more} more"] if more > 0 else [])]) or "none: it was built"


def _seconds(mix: Mix) -> float:
    return sum(step.seconds or 0.0 for step in mix.steps)
