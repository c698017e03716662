"""How often the rows of a suite were looked at, and what that spent of its error budget.

A look is a build whose `compare` saw the rows: its gate.json, in any commit of git or in the archive of this machine.
The same answers under the same gates are one look. Each look may be wrong with a probability of at most error / looks,
as its gate.json declares; so all of them, with at most the sum (Bonferroni), whatever people did after they saw one.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from modelmake import git
from modelmake.running import work_folders

SAME_ROWS = 0.5  # share of a suite's rows that a look must have seen to count as one at this suite
DECLARED = ("model", "metric", "against", "wanted", "where")


class Spent(NamedTuple):
    """What was spent of a suite's error budget."""

    looks: int
    error: float  # the sum of their levels
    budget: float
    level: float  # of one look, now
    shallow: bool = False  # git lacks older commits here, so there may have been more looks
    rows: int = 0  # of the suite
    compared: int = 0  # of them, by whose ids it is told whether an earlier look was at this suite

    @property
    def is_over(self) -> bool:
        return self.error > self.budget * (1 + 1e-9)


def spent(root: Path, path: str, gate: dict[str, Any], until: float) -> tuple[dict[str, Spent], int]:
    """({suite: what looks at it spent up to a time}, the number of gate.json that do not say what they saw).

    Args:
        path: of gate.json, from the root.
        gate: its present content, which is a look too.
        until: Unix seconds.
    """
    shallow = git.is_shallow(root)
    contents = [content for time, content in _contents(root, path) if time <= until]
    readable = [gate, *(content for content in contents if "suites" in content)]
    result = {}
    for suite, seen in gate["suites"].items():
        levels: dict[str, float] = {}
        for content in readable:
            for name, before in content["suites"].items():  # the rows may have had another name
                if overlap(seen, before) >= SAME_ROWS:
                    look = _look(content, name)
                    levels[look] = max(levels.get(look, 0.0), content["error"] / content["looks"])
        level = gate["error"] / gate["looks"]
        known = seen["rows"], len(seen["sample"])
        result[suite] = Spent(len(levels), sum(levels.values()), gate["error"], level, shallow, *known)
    return result, len(contents) + 1 - len(readable)


def overlap(seen: dict[str, Any], before: dict[str, Any]) -> float:
    """The share of a suite's rows that were seen before, estimated from the smallest ids of both.

    Ids are hashes, so the smallest of a set are a random sample of it, and only those that are no greater than the
    greatest of the other sample could be in it.
    """
    whole = before["rows"] <= len(before["sample"])
    comparable = [id for id in seen["sample"] if whole or id <= before["sample"][-1]]
    return len({*comparable} & {*before["sample"]}) / len(comparable) if comparable else 0.0


def _look(content: dict[str, Any], suite: str) -> str:
    gates = [[gate[field] for field in DECLARED] for gate in content["gates"].values() if gate["suite"] == suite]
    return json.dumps([content["suites"][suite]["answers"], sorted(gates, key=json.dumps)], sort_keys=True)


def _contents(root: Path, path: str) -> Iterator[tuple[float, dict[str, Any]]]:
    """(Unix seconds when it was there, content) of every gate.json that can be read."""
    commits = git.commits(root)
    first = {}  # {blob: when it was first committed}
    for commit, blob in zip(commits, git.hashes(root, [commit.sha for commit in commits], path), strict=True):
        if blob:
            first[blob] = min(commit.timestamp, first.get(blob, commit.timestamp))
    for time, content in zip(first.values(), git.contents(root, first), strict=True):
        yield from ((time, gate) for gate in _decoded(content or b""))
    for file in sorted(work_folders.archive(root, "stages.compare").glob("*.json")):
        yield from ((file.stat().st_mtime, gate) for gate in _decoded(file.read_bytes()))


def _decoded(content: bytes) -> Iterator[dict[str, Any]]:
    try:
        gate = json.loads(content)
    except ValueError:  # a merge conflict, or cut short by a loss of power
        return
    if isinstance(gate, dict):
        yield gate
