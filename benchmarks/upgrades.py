"""What upgrades of modelmake made stale in this repository's own history, and what today's keys would have made stale.

dvc.lock is read at every commit that changed it. A run of a stage counts where its key differs from the one recorded
before, and neither its command, nor its parameters, nor another input: its code or packages alone made it stale.
`stale` counts such runs, `changed` those whose outputs came out with other bytes. `before`: with the keys of then.
`now`: of the same runs those whose keys differ under today's rule, computed from the code of both commits; `missed` are
those that today's rule would not have made though bytes changed.

A run of code that was not committed with its dvc.lock counts as stale now too: nobody can say what its key would be.

    python benchmarks/upgrades.py [--root .] [--json]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.upgrades_layouts import LAYOUTS, Layout
from modelmake import artifacts, git
from modelmake.errors import UserError
from modelmake.keys import key_file, stage_key

LOCK = "dvc.lock"
CODE = (*stage_key.FIRST_PARTY, "envs", "uv.lock", ".python-version")  # all that keys are computed from
Key = dict[str, Any]


class Run(NamedTuple):
    """A stage's entry in dvc.lock, and its key file in git."""

    commit: str  # the first with this entry
    cmd: str
    key_md5: str
    inputs: dict[str, str]  # {path: MD5}, without the key
    params: dict[str, Any]
    outputs: dict[str, str]  # {path: MD5}
    key: Key | None  # None: not the one that is committed

    @property
    def module(self) -> str:
        words = self.cmd.split()
        return words[words.index("-m") + 1]


class Rerun(NamedTuple):
    """A stage that ran again for its key alone."""

    stage: str
    before: Run
    after: Run

    @property
    def changed(self) -> bool:
        return self.before.outputs != self.after.outputs


def reruns(root: Path) -> list[Rerun]:
    """Every run of a stage that its key alone made stale, oldest first."""
    command = ["git", "rev-list", "--reverse", "--first-parent", "HEAD", "--", LOCK]
    commits = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.split()
    last: dict[str, Run] = {}
    result = []
    for commit, content in zip(commits, git.contents(root, [f"{sha}:./{LOCK}" for sha in commits]), strict=True):
        for stage, entry in (yaml.load(content or b"{}", yaml.CSafeLoader).get("stages") or {}).items():
            run = _read(root, commit, stage, entry)
            if run is None or (stage in last and _recorded(last[stage]) == _recorded(run)):
                continue
            if stage in last and _but_key(last[stage]) == _but_key(run) and last[stage].key_md5 != run.key_md5:
                result.append(Rerun(stage, last[stage], run))
            last[stage] = run
    return result


def _read(root: Path, commit: str, stage: str, entry: dict[str, Any]) -> Run | None:
    """A stage's entry in dvc.lock; None if it has no key."""
    path = key_file.path_of(stage)
    inputs = {dep["path"]: dep.get("md5", "") for dep in entry.get("deps", [])}
    outputs = {out["path"]: out.get("md5", "") for out in entry.get("outs", [])}
    if path not in inputs:
        return None
    key_md5 = inputs.pop(path)
    committed = next(git.contents(root, [f"{commit}:./{path}"])) or b""
    key = json.loads(committed) if artifacts.md5(committed) == key_md5 else None
    return Run(commit, entry["cmd"], key_md5, inputs, entry.get("params", {}), outputs, key)


def _recorded(run: Run) -> tuple:
    return run[1:-1]


def _but_key(run: Run) -> tuple:
    return run.cmd, run.inputs, run.params


class Code:
    """The code of commits, in a temporary folder, and today's keys of it."""

    def __init__(self, root: Path, folder: Path, layouts: Iterable[Layout]) -> None:
        self.root, self.folder, self.layouts = root, folder, tuple(layouts)
        self.tree = lru_cache(maxsize=None)(self._tree)
        self.layout = lru_cache(maxsize=None)(self._layout)

    def key(self, run: Run) -> Key | None:
        """Today's key of a run; None if its code is not known, or has no key today."""
        if run.key is None:
            return None
        layout = self.layout(run.commit)
        environments = run.key.get("environments", {})
        try:
            key = stage_key.compute(
                self.tree(run.commit), run.module, self._chosen(run), environments, layout and layout.cut
            )
        except UserError as error:
            print(f"{run.commit[:9]} {run.module}: no key today: {error}", file=sys.stderr)
            return None
        for dotted in layout.carrying if layout else ():
            module, _, name = dotted.rpartition(".")
            key["symbols"].get(module, {}).pop(name, None)
        return key

    def _tree(self, commit: str) -> Path:
        """The code of a commit."""
        tree = self.folder / commit
        tree.mkdir()
        listing = subprocess.run(
            ["git", "ls-tree", "-z", "--name-only", commit], cwd=self.root, check=True, capture_output=True, text=True
        )
        paths = [path for path in listing.stdout.split("\0") if path in CODE]
        archive = subprocess.run(["git", "archive", commit, *paths], cwd=self.root, check=True, capture_output=True)
        subprocess.run(["tar", "-x", "-C", str(tree)], input=archive.stdout, check=True)
        return tree

    def _layout(self, commit: str) -> Layout | None:
        """The layout of the harness in a commit, whose carrying lines go; None, if none fits: all of it counts."""
        fitting = (one for one in self.layouts if all(self._has(commit, name) for name in one.cut.deciding))
        layout = next(fitting, None)
        for file, carrying in layout.lines.items() if layout else ():
            path = self.tree(commit) / file
            kept = [line for line in path.read_text("utf-8").splitlines() if line.strip() not in carrying]
            path.write_text("\n".join(kept) + "\n", "utf-8")
        return layout

    def _has(self, commit: str, dotted: str) -> bool:
        module, _, name = dotted.rpartition(".")
        file = self.tree(commit).joinpath(*module.split(".")).with_suffix(".py")
        return file.is_file() and f"\ndef {name}(" in file.read_text("utf-8")

    def _chosen(self, run: Run) -> list[str]:
        """The modules that params.yaml chose: those in the recorded key that the code alone does not reach."""
        reached = stage_key.compute(self.tree(run.commit), run.module, [], [], None)["symbols"]
        return sorted((run.key.get("symbols") or run.key.get("modules", {})).keys() - reached.keys())


def count(root: Path, layouts: Iterable[Layout] = LAYOUTS) -> dict[str, Any]:
    """{"commits", "before": {stage: {"stale", "changed"}}, "now": {stage: {"stale", "changed", "missed"}}}."""
    found = reruns(root)
    before = {rerun.stage: {"stale": 0, "changed": 0} for rerun in found}
    now = {rerun.stage: {"stale": 0, "changed": 0, "missed": 0} for rerun in found}
    with tempfile.TemporaryDirectory() as folder:
        code = Code(root, Path(folder), layouts)
        for number, rerun in enumerate(found, start=1):
            keys = [code.key(run) for run in (rerun.before, rerun.after)]
            stale = None in keys or keys[0] != keys[1]
            before[rerun.stage]["stale"] += 1
            before[rerun.stage]["changed"] += rerun.changed
            now[rerun.stage]["stale"] += stale
            now[rerun.stage]["changed"] += stale and rerun.changed
            now[rerun.stage]["missed"] += rerun.changed and not stale
            words = f"{'stale' if stale else 'fresh'} now, {'other' if rerun.changed else 'the same'} bytes"
            print(f"{number}/{len(found)} {rerun.after.commit[:9]} {rerun.stage}: {words}", file=sys.stderr)
    return {"commits": len({rerun.after.commit for rerun in found}), "before": before, "now": now}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=Path())
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = count(arguments.root)
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"{'':24} {'before':>16} {'now':>24}")
    print(f"{'stage':24} {'stale':>8} {'changed':>7} {'stale':>8} {'changed':>7} {'missed':>7}")
    for stage in result["before"]:
        old, new = (result[rule][stage] for rule in ("before", "now"))
        print(f"{stage:24} {old['stale']:8} {old['changed']:7} {new['stale']:8} {new['changed']:7} {new['missed']:7}")


if __name__ == "__main__":
    main()
