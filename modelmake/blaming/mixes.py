"""Builds of a commit with some inputs of another, in clones beside the project that share its DVC cache.

What was built before, in the project or in such a clone, is not built again: DVC finds it by its inputs. Each of the
two builds has a clone. All mixes share a third one, which is made that of the newer build again before each.
"""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmake import params
from modelmake.blaming import inputs
from modelmake.blaming.inputs import PACKAGES, Input, Side
from modelmake.blaming.revisions import Revision
from modelmake.dvc import graph
from modelmake.errors import UserError
from modelmake.planning import plan
from modelmake.planning.forecast import RUNS, Status
from modelmake.planning.plan import Step
from modelmake.running import work_store
from modelmake.verifying import clone, probe
from modelmake.verifying.probe import PARAMS


@dataclass
class Mix:
    """A build of the newer commit with an input put back, or of a commit as it is: planned, then built."""

    change: Input | None  # None: as it is
    path: Path  # of the project in the clone, which has this mix until the next one is planned or built
    python: Path  # folder with the `python` of its packages
    steps: list[Step]  # what will or may run of the stages up to the target
    problem: str  # why it cannot be built, in words; "" where it can


@dataclass(frozen=True)
class Mixer:
    """The two builds in clones, of which mixes are made."""

    root: Path  # of the project
    revision: Revision  # the newer
    target: str  # the stage up to which is built
    old: Side
    new: Side
    path: Path  # of the project in the clone of the newer build in which inputs are put back

    def as_it_is(self, side: Side) -> Mix:
        """The plan of one of the two builds."""
        return self._planned(None, side.path, side)

    def mix(self, change: Input) -> Mix:
        """The plan of the newer build with an input of the older. Where preflight refuses it, that is its problem."""
        self._put_back(change)
        return self._planned(change, self.path, self.old if {*change.paths} & {*PACKAGES} else self.new)

    def build(self, mix: Mix, output: Any) -> bool:
        """Builds up to the target; false, with the mix's `problem`, if that fails. `output` is the file to print to."""
        if mix.change:
            self._put_back(mix.change)
        done = _dvc(mix.path, mix.python, "repro", self.target, stdout=output, stderr=output)
        if done.returncode:
            mix.problem = f"`dvc repro {self.target}` ended with {done.returncode}; its message is above"
        return not done.returncode

    def _put_back(self, change: Input) -> None:
        _take(self.path, self.revision)
        put_back(change, self.old.path, self.path)

    def mixes(self, changes: Sequence[Input]) -> list[Mix]:
        """A mix for each input. Those that cannot be put back alone are put back together: a parameter that only the
        newer code knows, say.
        """
        planned = [self.mix(change) for change in changes]
        refused = [mix.change for mix in planned if mix.problem]
        if len(refused) < 2:
            return planned
        return [mix for mix in planned if not mix.problem] + [self.mix(inputs.together(refused))]

    def _planned(self, change: Input | None, path: Path, packages: Side) -> Mix:
        """The plan of a build in a clone, with the packages of one of the two."""
        python = packages.python
        try:
            nodes = graph.nodes(path)
            needed = inputs.makers(nodes, self.target) if self.target in nodes else {}
            steps = [step for step in plan.plan(path, python=python / "python") if step.stage in needed]
            for name in (name for name, node in needed.items() if node.cmd):
                clone.check_packages(path, name)
        except UserError as error:
            return Mix(change, path, python, [], " ".join(str(error).split()))
        runs = [step for step in steps if step.status in RUNS]
        problem = (packages.lacks if runs else "") if needed else f"its dvc.yaml has no {self.target}"
        for step in (step for step in steps if step.status == Status.CANNOT_RUN):
            problem = problem or f"{step.stage} cannot run: {', '.join(step.reasons)}"
        return Mix(change, path, python, runs, problem)


def mixer(
    root: Path, revision: Revision, target: str, old: Side, new: Side, cleanup: contextlib.ExitStack
) -> Mixer:  # fmt: skip
    """The mixer of two builds; `cleanup` removes its clone."""
    _, path = clone.make(root, cleanup, shared=True)
    return Mixer(root, revision, target, old, new, path)


def check_out(root: Path, revision: Revision, target: str, cleanup: contextlib.ExitStack) -> Side:
    """A build in a clone, with its data and the keys that its own preflight writes.

    Raises:
        UserError: its graph does not have the target, data is not on this machine, or preflight fails.
    """
    _, path = clone.make(root, cleanup, shared=True)
    _take(path, revision)
    nodes = graph.nodes(path)
    if target not in nodes:
        raise UserError(f"{revision.name}: dvc.yaml of commit {revision.short} has no {target}: want a build with it")
    stages = inputs.makers(nodes, target)
    own = not all(probe.same_packages(root, revision.commit, name) for name, node in stages.items() if node.cmd)
    python, lacks = Path(sys.executable).parent, ""
    try:
        python = probe.own_packages(path, revision.commit) if own else python
    except UserError as error:
        lacks = str(error)
    probe.with_keys(path, f"commit {revision.short}", python)
    return Side(path, python, stages, lacks)


def put_back(change: Input, old: Path, path: Path) -> None:
    """Takes an input from the clone of the older build into another clone."""
    for name in change.paths:
        work_store.remove(target := clone.place(path, name))
        source = old / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            compiled = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, target, copy_function=work_store.link_or_copy, ignore=compiled)
        elif source.exists():
            work_store.link_or_copy(source, target)
    for name, content in change.contents.items():
        work_store.remove(target := clone.place(path, name))
        target.parent.mkdir(parents=True, exist_ok=True)  # git knows no empty folders
        target.write_bytes(content)
    if change.sections:
        before, values = params.load(old / PARAMS), params.load(path / PARAMS)
        for section in change.sections:
            inputs.put(values, section, inputs.value_of(before, section))
        probe.write_params(path / PARAMS, values)


def _take(path: Path, revision: Revision) -> None:
    """Makes a clone that of a commit, with the data that .dvc files record."""
    clone.check_out(path, revision.commit)
    if data := [name for name, node in graph.nodes(path).items() if not node.cmd]:
        python = Path(sys.executable).parent
        done = _dvc(path, python, "checkout", *data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode:
            raise UserError(
                f"{revision.name}: {', '.join(data)}: DVC's cache lacks bytes of commit {revision.short}: want them; "
                f"`git checkout {revision.short}` and `dvc pull {' '.join(data)}`"
            )


def _dvc(path: Path, python: Path, *arguments: str, **streams: Any) -> subprocess.CompletedProcess[bytes]:
    return clone.run([sys.executable, "-m", "dvc", *arguments], path, python, **streams)
