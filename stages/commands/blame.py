"""`modelmake blame METRIC REV [REV]`: which of the inputs that changed between two builds moved a score.

The newer build is built again with one changed input put back at a time: in a clone, with what is in the DVC cache.
"""

import argparse
import contextlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelmake.blaming import halves, inputs, mixes, revisions
from modelmake.blaming.inputs import Input
from modelmake.blaming.mixes import Mix, Mixer
from modelmake.blaming.revisions import HEAD, Revision
from modelmake.dvc import graph
from modelmake.errors import UserError
from stages.commands import blame_effects, blame_metric, blame_text
from stages.commands.blame_effects import Effects, Rows
from stages.commands.blame_metric import Measured
from stages.commands.blame_text import Part

ROWS = ("ingest",)  # stages whose files are inputs of their own
WHOLE = {"base": "base model"}  # {stage: what its files and its section are together}
AUTOMATIC = 1  # rounds of halving where one file of rows changed


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("metric", metavar="METRIC", help="MODEL.METRIC, as in reports/metrics.json")
    parser.add_argument("older", metavar="REV", help="the commit of a build")
    parser.add_argument("newer", metavar="REV", nargs="?", help="the commit of a later build; HEAD unless given")
    parser.add_argument("--dry-run", action="store_true", help="print what would be built, and what that took before")
    parser.add_argument(
        "--halve", type=int, metavar="ROUNDS",
        help="halve the changed lines of files of rows that are a cause, two builds a round "
        f"({AUTOMATIC} round where one file changed, else none)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="the same facts for programs")


def run(options: argparse.Namespace) -> int:
    """1 if an input could not be put back, else 0."""
    root = Path()
    if options.newer is None:
        revisions.check_clean(root)
    old, new = revisions.read(root, options.older), revisions.read(root, options.newer or HEAD)
    measured = blame_metric.find(root, options.metric, old, new)
    output = sys.stderr if options.json else sys.stdout

    def say(*lines: str) -> None:
        print("\n".join(lines), file=output, flush=True)

    say(f"{options.metric}: {measured.old} in {old.short} ({old.name}), {measured.new} in {new.short} ({new.name})")
    with contextlib.ExitStack() as cleanup:
        before = mixes.check_out(root, old, measured.target, cleanup)
        now = mixes.check_out(root, new, measured.target, cleanup)
        found = inputs.changed(before, now, ROWS, WHOLE)
        if unread := inputs.unread(before, now, found):
            say(f"changed, but nothing on the way to the score reads it: {', '.join(unread)}")
        if not found:
            say("no input of the score differs", "cause: none")
            return _told(options, {"inputs": [], "causes": []})
        mixer = mixes.mixer(root, new, measured.target, before, now, cleanup)
        say("changed:", *map(blame_text.change, found), "")
        planned = mixer.mixes(found)
        ends = [mixer.as_it_is(before), mixer.as_it_is(now)]
        names = [f"{rev.short}, as it was" for rev in (old, new)] + [f"{mix.change.name} put back" for mix in planned]
        plan = [*zip(names, [*ends, *planned], strict=True)]
        rounds = _rounds(options.halve, found)
        say(*blame_text.plan(plan), *_halving(rounds, found), "")
        if options.dry_run:
            return _told(options, {"plan": blame_text.planned(plan), "rounds": rounds})
        blamed = Blame(mixer, measured, ends, planned)
        for file in [change for change in found if change.kind == "rows"] if rounds else ():
            blamed.halve(file, rounds)
        result = blamed.table(old, new)
    say("", *result.pop("lines"))
    return _told(options, result)


def _told(options: argparse.Namespace, facts: dict[str, Any]) -> int:
    """Prints the facts for programs if they are asked for; returns the exit code."""
    if options.json:
        print(json.dumps({"metric": options.metric, **facts}, indent=1))
    return int(bool(facts.get("not_put_back")))


def _rounds(asked: int | None, found: list[Input]) -> int:
    if asked is not None and asked < 0:
        raise UserError(f"--halve {asked}: want 0 or more rounds")
    files = [change for change in found if change.kind == "rows"]
    return (AUTOMATIC if len(files) == 1 else 0) if asked is None else asked


def _halving(rounds: int, found: list[Input]) -> list[str]:
    files = [change.name for change in found if change.kind == "rows" and _has_lines(change)]
    if not rounds or not files:
        return []
    return [
        f"then, of each that is a cause of {', '.join(files)}: the changed lines by halves, at most {rounds} "
        f"{'round' if rounds == 1 else 'rounds'} of 2 builds, each as long as with that file put back"
    ]


def _has_lines(change: Input) -> bool:
    return len(change.paths) == 1 and Path(change.name).suffix in halves.SUFFIXES


class Blame:
    """The builds, made when it is created, and what they say."""

    def __init__(self, mixer: Mixer, measured: Measured, ends: list[Mix], planned: list[Mix]) -> None:
        self._mixer, self._measured = mixer, measured
        built = [self._build(mix) for mix in ends]
        for mix in ends:
            if mix.problem:
                raise UserError(f"{self._measured.target}: a build as it was cannot be built again: {mix.problem}")
        self._old, self._new = built
        self._declared = json.loads(self._rows_file(ends[1]).with_suffix(".json").read_bytes())["declared"]
        self._halves: dict[str, list[tuple[Input, Rows]]] = {}  # by name of the input
        self._unhalved: list[Mix] = []  # halves that could not be built
        rows = [(mix, self._build(mix)) for mix in planned]
        self._mixes = [(mix.change, of_mix) for mix, of_mix in rows if of_mix is not None]
        ids = self._common()
        for mix, of_mix in rows:
            mix.problem = mix.problem or self._no_value(of_mix, ids)
        self._problems = [mix for mix, _ in rows if mix.problem]
        self._mixes = [(mix.change, of_mix) for mix, of_mix in rows if not mix.problem]
        if problem := self._no_value(self._old, ids) or self._no_value(self._new, ids):
            raise UserError(f"{self._measured.target}: a build as it was: {problem}: want a metric that counts there")

    def halve(self, change: Input, rounds: int) -> None:
        """Puts halves of the changed lines of a file back, and halves on where one of two halves is a cause."""
        if not _has_lines(change) or not self._is_cause(change):
            return
        old, new = (side.path / change.name for side in (self._mixer.old, self._mixer.new))
        before, now = (path.read_bytes() if path.exists() else b"" for path in (old, new))
        some, left = halves.edits(before, now), rounds
        while left and len(some) > 1:
            parts = halves.halves(some)
            built = []
            for part in parts:
                content = {change.name: halves.put_back(now, part)}
                half = replace(change, name=halves.words(part), paths=(), contents=content)
                mix = self._mixer.mix(half)
                rows = self._build(mix)
                mix.problem = mix.problem or self._no_value(rows, self._common(*(r for _, r in built), rows))
                if mix.problem:
                    self._unhalved.append(mix)
                    return
                built.append((half, rows))
            self._halves.setdefault(change.name, []).extend(built)
            moved = self._effects([rows for _, rows in built]).moved
            causes = [part for part, of_part in zip(parts, moved, strict=True) if of_part.shown]
            if len(causes) != 1:
                return
            some, left = causes[0], left - 1

    def table(self, old: Revision, new: Revision) -> dict[str, Any]:
        """The facts for programs, and the `lines` that say them."""
        effects = self._effects([rows for _, rows in self._mixes])
        if self._problems:
            effects = replace(effects, beyond=None)  # the sum lacks something
        parts = self._parts([change for change, _ in self._mixes], effects, effects)
        of_halves = {}
        for name, built in self._halves.items():
            of_halves[name] = self._parts([half for half, _ in built], self._effects([r for _, r in built]), effects)
        lines = blame_text.table(effects, parts, of_halves, [*self._problems, *self._unhalved])
        verdict = blame_text.verdict(parts, self._problems, effects.beyond)
        facts = blame_text.as_json(effects, parts, of_halves, self._problems)
        return {**facts, "lines": [*self._notes(old, new, effects), *lines, verdict]}

    def _parts(self, changes: list[Input], effects: Effects, whole: Effects) -> list[Part]:
        """Lines of the table; shares are of the whole difference."""
        by = whole.difference.by if whole.difference.shown else None
        return [
            Part(change, score, moved, moved.by / by if by else None, otherwise)
            for change, score, moved, otherwise in zip(
                changes, effects.scores, effects.moved, effects.otherwise, strict=True
            )
        ]

    def _notes(self, old: Revision, new: Revision, effects: Effects) -> list[str]:
        """The difference, on which rows, and where that is not what was recorded."""
        moved, rows = effects.difference, f"the {effects.rows:,} rows that all builds have"
        only = [len(a.keys() - b.keys()) for a, b in ((self._old, self._new), (self._new, self._old))]
        if any(only):
            rows += f" (the suites differ: {only[0]:,} rows are in {old.short} alone, {only[1]:,} in {new.short})"
        noise = "" if moved.shown else ", within noise"
        by = f"{moved.by:+z.4f} ({moved.low:+z.4f} to {moved.high:+z.4f}{noise})"
        lines = [f"{effects.old} -> {effects.new} on {rows}: {by}"]
        for revision, built, recorded in (
            (old, self._old, self._measured.old), (new, self._new, self._measured.new),
        ):  # fmt: skip
            if (here := blame_effects.score(built, self._measured.name)) != recorded:
                lines.append(f"{revision.short}: {recorded} is recorded, and its inputs make {here} here")
        return lines

    def _common(self, *more: Rows) -> list[str]:
        """The ids of the rows that all builds have, and some more builds."""
        parts = [rows for built in self._halves.values() for _, rows in built]
        ids = blame_effects.common([self._old, self._new, *(rows for _, rows in self._mixes), *parts, *more])
        if not ids:
            target = self._measured.target
            raise UserError(f"{target}: no row is in the suites of all builds: want rows to compare them by")
        return ids

    def _no_value(self, rows: Rows, ids: list[str]) -> str:
        """Why a build has no value on these rows, in words; "" where it has one."""
        name = self._measured.name
        if blame_effects.counts(rows, ids, name):
            return ""
        return f"none of the {len(ids):,} rows that all builds have counts for {name}"

    def _effects(self, builds: list[Rows]) -> Effects:
        measured, ids = self._measured, self._common()
        return blame_effects.effects(
            self._old, self._new, builds, ids, measured.name, self._declared[measured.name], measured.confidence,
            measured.seed,
        )  # fmt: skip

    def _is_cause(self, change: Input) -> bool:
        effects = self._effects([rows for _, rows in self._mixes])
        return any(
            moved.shown and change.name == put_back.name
            for (put_back, _), moved in zip(self._mixes, effects.moved, strict=True)
        )

    def _build(self, mix: Mix) -> Rows | None:
        """The rows of a build; None, with its problem, where it cannot be built."""
        if mix.problem or not self._mixer.build(mix, sys.stderr):
            return None
        rows = blame_effects.read(self._rows_file(mix))
        if not all(self._measured.name in row.scores for row in rows.values()):
            mix.problem = f"its rows have no {self._measured.name}"
            return None
        return rows

    def _rows_file(self, mix: Mix) -> Path:
        outs = graph.nodes(mix.path)[self._measured.target].outs
        return mix.path / next(out for out in outs if out.endswith(".jsonl"))
