"""Stages that each tool runs after an edit, compared with those that had to run: one table of edits, five tools.

    uv run python benchmarks/staleness.py [--json] [--only TEXT …] [--tool NAME …]

The edits are written by hand in benchmarks/edits/, each with the stages that have to run and the reason. The graph is
dvc.yaml with recipes/tiny.yaml and the first rows of each raw file; the commands are the real ones. The tools:

- `modelmake`: verify, the mends that it prints, `dvc repro`;
- `modelmake_repro_alone`: without verify;
- rivals, set up as their documentation says: `dvc_file_deps` (each stage depends on its script), `dvc_folder_deps`
  (on stages/ and modelmake/), `dvc_listed_closure` (on every module that it loaded at set-up, and on the locks),
  `snakemake` (a plain Snakefile, default triggers). DVC runs with a faster writer of dvc.lock
  (benchmarks/staleness_dvc.py).

The benchmark measures which stages a tool *starts*. modelmake's stages run for real; a rival's stage is replayed if the
very same run, byte by byte, has been recorded (benchmarks/staleness_replay.py). preflight is not counted.

A stage had to run if the table says so, or if bytes that it reads differ in the correct build of the edit, which is
made stage by stage without any tool. A stage is **missed** if it had to run and did not (nor came back from the
run-cache), or if its outputs in the end differ from those of the correct build. It is **needless** if it ran and did
not have to. Both are counted by stage. The table itself is checked against the correct build: a stage that had to run
and is not in it, or an output that a needless run changed, ends the benchmark with an error.
"""

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import staleness_tools as tools
from benchmarks.edits import KINDS, Edit
from benchmarks.staleness_replay import digest, section
from benchmarks.staleness_tools import COMMANDS, Build
from modelmake.dvc import graph
from tests.conftest import Project, tiny

ALONE = "modelmake_repro_alone"
RIVALS = [name for name in COMMANDS if name != "modelmake"]


@dataclass
class State:
    """Hashes of everything that the stages of a build read and wrote."""

    params: str  # of params.yaml
    stages: dict[str, graph.Stage]
    inputs: dict[str, list[str]]  # by stage
    outputs: dict[str, list[str]]  # by stage
    values: dict[str, list[Any]]  # of the declared parameters, by stage


@dataclass
class Outcome:
    """The stages that a tool ran after an edit, judged."""

    ran: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    needless: list[str] = field(default_factory=list)
    wrong: str = ""  # the end of the output of a tool that failed
    seconds: float = 0.0


def inputs(stage: graph.Stage) -> list[str]:
    """The inputs of a stage without its key."""
    return [dep for dep in stage.deps if dep != stage.key_file]


def read_state(build: Build, old: State | None = None) -> State:
    path, stages = build.project.path, resolved(build, old)
    values = tools.values(build.project)
    return State(
        digest(path / "params.yaml"),
        stages,
        {n: [digest(path / dep) for dep in inputs(s)] for n, s in stages.items()},
        outputs(build.project, stages),
        {n: [section(values, p) for p in s.params] for n, s in stages.items()},
    )


def resolved(build: Build, old: State | None) -> dict[str, graph.Stage]:
    """The stages of the graph. DVC takes a second to resolve them, and here only params.yaml can change them."""
    if old and old.params == digest(build.project.path / "params.yaml"):
        return old.stages
    return tools.note_graph(build.project, build.work)


def outputs(project: Project, stages: dict[str, graph.Stage]) -> dict[str, list[str]]:
    return {n: [digest(project.path / out) for out in s.outs] for n, s in stages.items()}


def build_correctly(build: Build, old: State, must: set[str], by_params: bool) -> set[str]:
    """Runs every stage that has to, one by one in order, and returns their names.

    These are `must`, new stages, stages with another command or input, and, if `by_params`, those with another declared
    parameter.
    """
    stages, path = resolved(build, old), build.project.path
    for name in old.stages.keys() - stages.keys():
        for out in old.stages[name].outs:
            subprocess.run(["rm", "-r", str(path / out)], check=True)
    shutil.copyfile(f"{tools.described(build.project, build.work)}.json", path / "keys/graph.json")
    values, ran = tools.values(build.project), set()
    for name, stage in stages.items():
        changed = name not in old.stages or name in must or stage.cmd != old.stages[name].cmd
        changed = changed or [digest(path / dep) for dep in inputs(stage)] != old.inputs[name]
        if changed or (by_params and [section(values, p) for p in stage.params] != old.values[name]):
            code, output = build.run(shlex.split(stage.cmd))
            if code:
                raise RuntimeError(f"the correct build: {name}: {output[-600:]}")
            ran.add(name)
    return ran


def make_edit(build: Build, kind: str, name: str) -> str:
    """Makes the edit in a tool's build that is up to date; returns the error, if any."""
    edit, command = KINDS[kind][name], COMMANDS[build.tool]
    if edit.before:
        edit.before(build.project)
        if not edit.during and (wrong := build.build(command)):
            return wrong
    build.forget()
    if not edit.during:
        edit.change(build.project)
        return ""
    itself = [sys.executable, str(Path(__file__).resolve()), "--apply", kind, name, str(build.project.path)]
    build.build(command, edit.during, itself)
    return "" if build.edited else f"{edit.during} did not run, so the edit was not made"


def ran_after(build: Build, edit: Edit) -> set[str]:
    """The stages that ran after the edit."""
    return {run["stage"] for run in build.runs() if (run["after"] or not edit.during) and not run["taken"]}


def judge(
    build: Build, edit: Edit, kind: str, required: set[str], correct: State, waiting: set[str], wrong: str
) -> Outcome:
    """What a tool missed and ran needlessly.

    Args:
        required: stages that had to run.
        correct: the correct build of the edit.
        waiting: stages that were stale before an edit that was made while a stage ran.
    """
    ran = ran_after(build, edit)
    before = {run["stage"] for run in build.runs() if not run["after"] and run["done"]}
    written = outputs(build.project, correct.stages)
    missed = {s for s in required if s not in ran | build.restored()}
    missed |= {s for s in written if written[s] != correct.outputs[s]}
    allowed = required | (waiting - before if edit.during else set())
    allowed |= set(edit.may) if kind == "artifacts" else set()
    return Outcome(sorted(ran), sorted(missed), sorted(ran - allowed), wrong)


def run_edit(kind: str, name: str, builds: dict[str, Build], start: State, chosen: list[str]) -> dict[str, Any]:
    """An edit under every tool: {kind, edit, why, had_to_run, table_is_wrong, tools: {tool: outcome}}."""
    edit, folder = KINDS[kind][name], Path(tempfile.mkdtemp(dir=builds["modelmake"].work))
    outcomes: dict[str, Outcome] = {}
    try:
        done: dict[str, tuple[Build, str]] = {}

        def run_tool(tool: str, verifies: bool) -> bool:
            """Runs a tool after the edit; true if verify printed commands."""
            started, command = time.monotonic(), COMMANDS.get(tool, COMMANDS["modelmake"])
            build = builds["modelmake" if tool == ALONE else tool].copy(folder / tool)
            wrong, mends = make_edit(build, kind, name), []
            if verifies and not wrong:
                mends, wrong = build.verify()
                for mend in mends:
                    build.run(shlex.split(mend))
            done[tool] = build, build.build(command) or wrong
            outcomes[tool] = Outcome(seconds=time.monotonic() - started)
            return bool(mends)

        if run_tool("modelmake", verifies=True):  # then another build without verify: DVC trusts hashes of its own path
            run_tool(ALONE, verifies=False)
        else:
            done[ALONE], outcomes[ALONE] = done["modelmake"], Outcome(seconds=outcomes["modelmake"].seconds)
        sample = builds["modelmake"].copy(folder / "correct")
        sample.tool = "correct"
        old, waiting = start, set()
        if edit.before:
            edit.before(sample.project)
            waiting = build_correctly(sample, old, set(), by_params=True)
            old = read_state(sample, old)
        if kind == "artifacts":
            required, correct = set(edit.must), old
        else:
            edit.change(sample.project)
            required = build_correctly(sample, old, set(edit.must), by_params=False)
            correct = read_state(sample, old)
        for tool in chosen:
            if tool != "modelmake":
                run_tool(tool, verifies=False)
        for tool, (build, wrong) in done.items():
            seconds = outcomes[tool].seconds
            outcomes[tool] = judge(build, edit, kind, required, correct, waiting, wrong)
            outcomes[tool].seconds = round(seconds, 1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    errors = [f"{s}: what it reads has changed" for s in required - set(edit.must) - set(edit.may)]
    ours = outcomes["modelmake"]
    errors += [f"{s}: a needless run changed its outputs" for s in ours.needless if s in ours.missed]
    line = f"{kind}: {name}: {summary(outcomes)}{' TABLE: ' * bool(errors)}{'; '.join(errors)}"
    print(line, file=sys.stderr, flush=True)
    result = {"kind": kind, "edit": name, "why": edit.why, "had_to_run": sorted(required), "table_is_wrong": errors}
    return result | {"tools": {tool: vars(outcome) for tool, outcome in outcomes.items()}}


def summary(outcomes: dict[str, Outcome]) -> str:
    ours = outcomes["modelmake"]
    counts = "  ".join(f"{tool} {len(o.missed)}/{len(o.needless)}" for tool, o in outcomes.items())
    names = f" missed {ours.missed}" * bool(ours.missed) + f" needless {ours.needless}" * bool(ours.needless)
    return f"{counts}{names} {ours.seconds} s{' FAILED ' * bool(ours.wrong)}{ours.wrong[-300:]}"


def set_up(work: Path, chosen: list[str]) -> dict[str, Build]:
    """An up-to-date build for every tool; modelmake's runs for real and fills the store."""
    (work / "project").mkdir()
    base = Build(tiny(work / "project"), "modelmake", work)
    subprocess.run(["git", "gc", "--quiet"], cwd=base.project.path, check=True)  # few files to copy for each edit
    started = time.monotonic()
    if wrong := base.build(COMMANDS["modelmake"]):
        raise RuntimeError(f"modelmake: cannot be built: {wrong}")
    print(f"modelmake: built in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    tools.note_graph(base.project, work)
    rivals = {tool: tools.set_up(base, tool, work / tool) for tool in RIVALS if tool in chosen}
    return {"modelmake": base, **rivals}


def table(results: list[dict[str, Any]], totals: dict[str, Any]) -> str:
    """A line for each edit: the number of stages that had to run, then missed/needless of each tool."""
    width = max(len(f"{line['kind']}: {line['edit']}") for line in results)
    names = list(totals)
    lines = [f"{'edit':{width}}  had to  " + "  ".join(names)]
    for line in results:
        cells = [f"{len(line['tools'][t]['missed'])}/{len(line['tools'][t]['needless'])}".rjust(len(t)) for t in names]
        title = f"{line['kind']}: {line['edit']}"
        lines.append(f"{title:{width}}  {len(line['had_to_run']):6}  " + "  ".join(cells))
    cells = [f"{totals[t]['missed']}/{totals[t]['needless']}".rjust(len(t)) for t in names]
    return "\n".join([*lines, f"{'missed/needless stages':{width}}  {'':6}  " + "  ".join(cells)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="every figure, and each edit's stages")
    parser.add_argument("--only", nargs="+", default=[], metavar="TEXT", help="edits with this in `kind: name`")
    parser.add_argument("--tool", nargs="+", choices=RIVALS, default=RIVALS, help="rivals; modelmake always runs")
    parser.add_argument("--jobs", type=int, default=3, help="edits at a time")
    parser.add_argument("--apply", nargs=3, metavar=("KIND", "NAME", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.apply:
        kind, name, folder = arguments.apply
        KINDS[kind][name].change(Project(Path(folder)))
        return
    edits = [(kind, name) for kind, table in KINDS.items() for name in table
             if not arguments.only or any(text in f"{kind}: {name}" for text in arguments.only)]  # fmt: skip
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="staleness-") as work, ProcessPoolExecutor(arguments.jobs) as pool:
        builds = set_up(Path(work), arguments.tool)
        start = read_state(builds["modelmake"])
        running = [pool.submit(run_edit, *edit, builds, start, ["modelmake", *arguments.tool]) for edit in edits]
        results, wrong = [], []
        for (kind, name), future in zip(edits, running, strict=True):
            try:
                results.append(future.result())
            except Exception as error:  # the other edits are worth their time
                wrong.append(f"{kind}: {name}: {type(error).__name__}: {error}")
    totals = {
        tool: {what: sum(len(line["tools"][tool][what]) for line in results) for what in ("missed", "needless")}
        | {"seconds": round(sum(line["tools"][tool]["seconds"] for line in results))}
        for tool in ["modelmake", *arguments.tool, ALONE]
    }
    if arguments.json:
        seconds = round(time.monotonic() - started)
        result = {"edits": len(results), "tools": totals, "seconds": seconds, "table": results}
        print(json.dumps(result, indent=1))
    else:
        print(table(results, totals))
    wrong += [
        f"{line['kind']}: {line['edit']}: benchmarks/edits: {t}" for line in results for t in line["table_is_wrong"]
    ]
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
