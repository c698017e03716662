"""Which stages each tool runs after an edit, beside those that had to run: one table of edits, five tools, one graph.

    uv run python benchmarks/staleness.py [--json] [--only TEXT …] [--tool NAME …]

The edits, with what has to run and why, are written by hand in benchmarks/edits/. The graph is dvc.yaml with
recipes/tiny.yaml and the first rows of each raw file; the commands are the real ones. The tools: `modelmake` (verify,
the mends that it prints, `dvc repro`), `modelmake_repro_alone` (without verify), and rivals set up as their
documentation tells: `dvc_file_deps` (each stage depends on its script), `dvc_folder_deps` (on stages/ and modelmake/),
`dvc_listed_closure` (on every module that it loaded at set-up, and on the locks), `snakemake` (a plain Snakefile,
default triggers). modelmake's stages run for real; rivals' are replayed where the very same was run before, byte by
byte (benchmarks/staleness_replay.py): what is measured is which stages a tool *starts*. preflight is not counted.

A stage had to run when the table says so, or when bytes that it reads came out otherwise in the correct build of the
edit, which is made stage by stage, with no tool. It is **missed** when it did not run after the edit (nor came back
from the run-cache), or when its outputs in the end are not those of the correct build, bytes compared. It is
**needless** when it ran though it did not have to. Both are counted by stage. The table itself is held against the
correct build: a stage that had to run and is not in it, or an output that a needless run changed, ends the benchmark
with an error.
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
    """A build as bytes: of what every stage reads and writes."""

    graph: str  # of params.yaml
    stages: dict[str, graph.Stage]
    read: dict[str, list[str]]
    wrote: dict[str, list[str]]
    values: dict[str, list[Any]]  # of the declared parameters


@dataclass
class Outcome:
    """What a tool did after an edit."""

    ran: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    needless: list[str] = field(default_factory=list)
    wrong: str = ""  # the end of what a tool that failed said
    seconds: float = 0.0


def inputs(stage: graph.Stage) -> list[str]:
    return [dep for dep in stage.deps if dep == "keys/graph.json" or not dep.startswith("keys/")]


def state(build: Build, old: State | None = None) -> State:
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
    """The graph's stages; resolving them takes DVC a second, and nothing but params.yaml can change them here."""
    if old and old.graph == digest(build.project.path / "params.yaml"):
        return old.stages
    return tools.note_graph(build.project, build.work)


def outputs(project: Project, stages: dict[str, graph.Stage]) -> dict[str, list[str]]:
    return {n: [digest(project.path / out) for out in s.outs] for n, s in stages.items()}


def correct(build: Build, old: State, must: set[str], values: bool) -> set[str]:
    """Builds what has to be, stage by stage in order, and says what that was: `must`, new stages, those whose command
    or input changed, and (`values`) those with a declared parameter that did."""
    stages, path = resolved(build, old), build.project.path
    for name in old.stages.keys() - stages.keys():
        for out in old.stages[name].outs:
            subprocess.run(["rm", "-r", str(path / out)], check=True)
    shutil.copyfile(f"{tools.described(build.project, build.work)}.json", path / "keys/graph.json")
    now, ran = tools.values(build.project), set()
    for name, stage in stages.items():
        changed = name not in old.stages or name in must or stage.cmd != old.stages[name].cmd
        changed = changed or [digest(path / dep) for dep in inputs(stage)] != old.read[name]
        if changed or (values and [section(now, p) for p in stage.params] != old.values[name]):
            code, output = build.run(shlex.split(stage.cmd))
            if code:
                raise RuntimeError(f"the correct build: {name}: {output[-600:]}")
            ran.add(name)
    return ran


def make(build: Build, kind: str, name: str) -> str:
    """Makes the edit in a tool's build that is up to date; returns what went wrong."""
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
    return "" if build.edited else f"{edit.during} did not run, so the edit never came"


def after(build: Build, edit: Edit) -> set[str]:
    """The stages that ran after the edit."""
    return {run["stage"] for run in build.runs() if (run["after"] or not edit.during) and not run["taken"]}


def judged(build: Build, edit: Edit, kind: str, had: set[str], right: State, waiting: set[str], wrong: str) -> Outcome:
    """`waiting`: stale before an edit that came while a stage ran."""
    ran = after(build, edit)
    before = {run["stage"] for run in build.runs() if not run["after"] and run["done"]}
    wrote = outputs(build.project, right.stages)
    missed = {s for s in had if s not in ran | build.restored()} | {s for s in wrote if wrote[s] != right.wrote[s]}
    fine = had | (waiting - before if edit.during else set()) | (set(edit.may) if kind == "artifacts" else set())
    return Outcome(sorted(ran), sorted(missed), sorted(ran - fine), wrong)


def one(kind: str, name: str, builds: dict[str, Build], start: State, chosen: list[str]) -> dict[str, Any]:
    """An edit under every tool."""
    edit, folder = KINDS[kind][name], Path(tempfile.mkdtemp(dir=builds["modelmake"].work))
    found: dict[str, Outcome] = {}
    try:
        done: dict[str, tuple[Build, str]] = {}

        def go(tool: str, verifies: bool) -> bool:
            """Whether verify advised anything."""
            started, command = time.monotonic(), COMMANDS.get(tool, COMMANDS["modelmake"])
            build = builds["modelmake" if tool == ALONE else tool].copy(folder / tool)
            wrong, mends = make(build, kind, name), []
            if verifies and not wrong:
                mends, wrong = build.verify()
                for mend in mends:
                    build.run(shlex.split(mend))
            done[tool] = build, build.build(command) or wrong
            found[tool] = Outcome(seconds=time.monotonic() - started)
            return bool(mends)

        if go("modelmake", verifies=True):  # made anew, not copied: DVC trusts what it has hashed at that path
            go(ALONE, verifies=False)
        else:
            done[ALONE], found[ALONE] = done["modelmake"], Outcome(seconds=found["modelmake"].seconds)
        sample = builds["modelmake"].copy(folder / "correct")
        sample.tool = "correct"
        old, waiting = start, set()
        if edit.before:
            edit.before(sample.project)
            waiting = correct(sample, old, set(), values=True)
            old = state(sample, old)
        if kind == "artifacts":
            had, right = set(edit.must), old
        else:
            edit.change(sample.project)
            had = correct(sample, old, set(edit.must), values=False)
            right = state(sample, old)
        for tool in chosen:
            if tool != "modelmake":
                go(tool, verifies=False)
        for tool, (build, wrong) in done.items():
            seconds = found[tool].seconds
            found[tool] = judged(build, edit, kind, had, right, waiting, wrong)
            found[tool].seconds = round(seconds, 1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table = [f"{s}: what it reads has changed" for s in had - set(edit.must) - set(edit.may)]
    ours = found["modelmake"]
    table += [f"{s}: a needless run changed its outputs" for s in ours.needless if s in ours.missed]
    result = {"kind": kind, "edit": name, "why": edit.why, "had_to_run": sorted(had), "table_is_wrong": table}
    print(f"{kind}: {name}: {shown(found)}{' TABLE: ' * bool(table)}{'; '.join(table)}", file=sys.stderr, flush=True)
    return result | {"tools": {tool: vars(outcome) for tool, outcome in found.items()}}


def shown(found: dict[str, Outcome]) -> str:
    ours = found["modelmake"]
    counts = "  ".join(f"{tool} {len(o.missed)}/{len(o.needless)}" for tool, o in found.items())
    names = f" missed {ours.missed}" * bool(ours.missed) + f" needless {ours.needless}" * bool(ours.needless)
    return f"{counts}{names} {ours.seconds} s{' FAILED ' * bool(ours.wrong)}{ours.wrong[-300:]}"


def set_up(work: Path, chosen: list[str]) -> dict[str, Build]:
    """A build of every tool that is up to date; modelmake's runs for real and fills the store."""
    (work / "project").mkdir()
    base = Build(tiny(work / "project"), "modelmake", work)
    started = time.monotonic()
    if wrong := base.build(COMMANDS["modelmake"]):
        raise RuntimeError(f"modelmake: cannot be built: {wrong}")
    print(f"modelmake: built in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    tools.note_graph(base.project, work)
    rivals = {tool: tools.set_up(base, tool, work / tool) for tool in RIVALS if tool in chosen}
    return {"modelmake": base, **rivals}


def table(found: list[dict[str, Any]], totals: dict[str, Any]) -> str:
    """A line an edit: stages that had to run, then missed/needless of each tool."""
    width = max(len(f"{line['kind']}: {line['edit']}") for line in found)
    names = list(totals)
    lines = [f"{'edit':{width}}  had to  " + "  ".join(names)]
    for line in found:
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
    parser.add_argument("--jobs", type=int, default=2, help="edits at a time")
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
        start = state(builds["modelmake"])
        running = [pool.submit(one, *edit, builds, start, ["modelmake", *arguments.tool]) for edit in edits]
        found, wrong = [], []
        for (kind, name), future in zip(edits, running, strict=True):
            try:
                found.append(future.result())
            except Exception as error:  # the other edits are worth their time
                wrong.append(f"{kind}: {name}: {type(error).__name__}: {error}")
    totals = {
        tool: {what: sum(len(line["tools"][tool][what]) for line in found) for what in ("missed", "needless")}
        | {"seconds": round(sum(line["tools"][tool]["seconds"] for line in found))}
        for tool in ["modelmake", *arguments.tool, ALONE]
    }
    if arguments.json:
        whole = {"edits": len(found), "tools": totals, "seconds": round(time.monotonic() - started), "table": found}
        print(json.dumps(whole, indent=1))
    else:
        print(table(found, totals))
    wrong += [
        f"{line['kind']}: {line['edit']}: benchmarks/edits: {t}" for line in found for t in line["table_is_wrong"]
    ]
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
