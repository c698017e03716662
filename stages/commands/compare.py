"""`modelmake compare REV…`: two to five builds side by side, as a page, as text or as JSON. Nothing is checked out."""

import json
import math
import os
import textwrap
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modelmake import git
from modelmake.blaming import revisions
from modelmake.blaming.revisions import WORKSPACE, Revision
from modelmake.errors import UserError
from modelmake.planning import plan
from modelmake.planning.forecast import Status
from stages.commands import compare_facts, compare_tables, gate, looks
from stages.commands.compare_builds import Build
from stages.commands.compare_tables import Table
from stages.evaluating import scoring
from stages.reporting import changed_answers, charts, html
from stages.reporting.build import main_metric
from stages.reporting.changed_answers import Changed

MOST = 5  # builds
EXAMPLES = 100  # changed answers on the page
FETCH = "`dvc fetch --all-commits` brings what a remote has, `dvc exp pull` that of an experiment"
TEMPLATES = [Path("stages/reporting/templates", name) for name in ("compare", "page")]
CHAPTERS = {
    "verdict": "Verdict", "alternatives": "Alternatives", "scores": "Scores", "slices": "Slices",
    "answers": "Changed answers", "training": "Training", "files": "Quantized files", "rows": "Rows",
    "changes": "What changed", "lineage": "Lineage",
}  # fmt: skip


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "revisions", nargs="+", metavar="REV",
        help=f"commits, branches, tags, experiments of DVC, or {WORKSPACE}, the working tree; others are held against "
        f"the first; with one REV the second is {WORKSPACE}",
    )  # fmt: skip
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--page", type=Path, help="an HTML file to write, instead of text")
    form.add_argument("--json", action="store_true", help="the same facts for programs")


def run(options: Namespace) -> int:
    root, names = Path(), options.revisions if len(options.revisions) > 1 else [*options.revisions, WORKSPACE]
    if len(names) > MOST or len({*names}) < len(names):
        raise UserError(f"compare: {' '.join(names)}: want two to {MOST} different builds")
    builds = [Build(root, revision) for revision in read(root, names)]
    facts, changed = lay_out(root, builds)
    if options.json:
        print(json.dumps(facts | {"changed": [_plain(change) for change in changed]}, indent=1))
    elif options.page:
        path = Path(options.here, options.page)
        write(path, page(builds, facts, changed))
        print(f"compare: {' beside '.join(names)}: {os.path.relpath(path, options.here)}")
    else:
        print("\n".join(text(facts)))
    return 0


def read(root: Path, names: list[str]) -> list[Revision]:
    """The builds of these names.

    Raises:
        UserError: some have none; a line each.
    """
    found, problems = [], []
    for name in names:
        try:
            found.append(revisions.working_tree(root) if name == WORKSPACE else revisions.read(root, name))
        except UserError as problem:
            problems.append(str(problem))
    if problems:
        raise UserError("\n".join(problems))
    return found


def lay_out(root: Path, builds: list[Build]) -> tuple[dict[str, Any], list[Changed]]:
    """The facts about builds, and changed answers of their models."""
    commits = [build.revision.commit for build in builds]
    times = [git.timestamp(root, commit) if commit else math.inf for commit in commits]
    stale = Stale(root) if not all(commits) else None
    judged = [judge(root, build, until, stale) for build, until in zip(builds, times, strict=True)]
    facts: dict[str, Any] = {
        "gates": compare_facts.gates([of_build.get("gates", {}) for of_build in judged]),
        "alternatives": compare_facts.alternatives(builds),
        "scores": compare_facts.scores(builds),
        "slices": compare_facts.slices(builds),
        "training": compare_facts.training(builds),
        "files": compare_facts.files(builds),
        "rows": compare_facts.rows(builds),
        "parameters": compare_facts.parameters(builds),
        "inputs": compare_facts.inputs(builds),
        "code": compare_facts.code(builds),
        "models": compare_facts.models(builds),
    }
    facts["answers"], changed = answers(builds, facts["scores"])
    facts["builds"] = [
        {
            "name": build.name, "commit": build.revision.commit,
            "date": "" if time == math.inf else datetime.fromtimestamp(time, UTC).date().isoformat(),
            "verdict": of_build.get("verdict"), "model": build.model,
            "stale": "" if build.revision.commit else stale.shown(build),
            "missing": sorted(build.missing),
        }
        for build, of_build, time in zip(builds, judged, times, strict=True)
    ]  # fmt: skip
    return facts, changed


def judge(root: Path, build: Build, until: float, stale: "Stale | None") -> dict[str, Any]:
    """The gates of a build as `modelmake gate` tells them; {} where it has none that can be read."""
    found = build.report("stages.compare", "gate")
    if "suites" not in found:  # not there, or of a version that knew no evidence
        return {}
    spent, _ = looks.spent(root, build.recorded("stages.compare", "gate")[""], found, until)
    return gate.judged(found, spent, "" if build.revision.commit else stale.gates(build))


class Stale:
    """Which figures of the working tree are not those of its data, parameters and code."""

    def __init__(self, root: Path) -> None:
        self._steps, self._problem = [], ""
        try:
            self._steps = plan.plan(root)
        except UserError as problem:  # params.yaml is not valid, say: the last build is still there to be seen
            self._problem = f"these figures are of the last build: {problem}"

    def gates(self, build: Build) -> str:
        """Why the gates are of another build; "" if they are of this one."""
        return self._problem or gate.staleness(self._steps, build.stage("stages.compare"))

    def shown(self, build: Build) -> str:
        """The same of every report that was asked for. One that can be checked out is as recorded."""
        names = {step.stage.rpartition(":")[2]: step.status for step in self._steps}
        stale = [name for name, status in names.items()
                 if name in build.shown and status not in (Status.FRESH, Status.CHECKOUT)]  # fmt: skip
        others = f"{', '.join(stale)}: these reports are of another build; run `dvc repro`" if stale else ""
        return "; ".join(filter(None, [self.gates(build), others]))


def answers(builds: list[Build], scores: dict[str, Any]) -> tuple[dict[str, Any], list[Changed]]:
    """How many answers of the builds' models changed, by the first one's suite and main metric, and some of them."""
    suite = builds[0].suite
    of_first = [metric for metric, models in scores.get(suite, {}).items() if models.get(builds[0].model, [None])[0]]
    metric = main_metric(dict.fromkeys(of_first))
    found = {build.name: build.answers(build.model, suite) for build in builds} if metric else {}
    usable = {name: of_build for name, of_build in found.items() if _has(of_build, metric)}
    facts = {"suite": suite, "metric": metric, "left_out": [build.name for build in builds if build.name not in usable]}
    common = set.intersection(*({a.id for a in of_build} for of_build in usable.values())) if usable else set()
    if builds[0].name not in usable or len(usable) < 2 or not common:
        return facts | {"rows": 0, "counts": {}}, []
    changed, counts = changed_answers.changed(usable, metric, EXAMPLES)
    return facts | {"rows": len(common), "counts": {name: n._asdict() for name, n in counts.items()}}, changed


def _has(of_build: list[scoring.Answer] | None, metric: str) -> bool:
    return bool(of_build) and all(metric in answer.scores and answer.prompt for answer in of_build)


def _plain(change: Changed) -> dict[str, Any]:
    question = change.question
    given = {name: {"answer": "".join(part for part, _ in group.pieces), "right": group.right}
             for group in question.answers for name in group.given_by}  # fmt: skip
    return {"id": question.id, "prompt": question.prompt, "expected": question.expected, "answers": given,
            "lost": change.lost, "won": change.won}  # fmt: skip


def page(builds: list[Build], facts: dict[str, Any], changed: list[Changed]) -> str:
    """The page, one file that asks nothing of the network."""
    laid = compare_tables.tables(facts)
    drawn = {chapter: [table for table in laid if table.chapter == chapter] for chapter in CHAPTERS}
    values = {
        "facts": facts, "tables": drawn, "curves": curves(builds, facts["training"]), "changed": changed,
        "chapters": {id: title for id, title in CHAPTERS.items() if drawn[id] or id in ("verdict", "answers")},
        "described": compare_tables.described, "notes": notes(facts), "headlines": compare_tables.headlines(facts),
    }  # fmt: skip
    scripts = [charts.library(), (TEMPLATES[1] / "page.js").read_text("utf-8")]
    return html.render(TEMPLATES, "page.html", values, scripts)


def curves(builds: list[Build], training: dict[str, list[Any]]) -> dict[str, dict[str, Any]]:
    """{run: its chart} of the runs that differ."""
    names, logs = [build.name for build in builds], [compare_facts.histories(build) for build in builds]
    result = {}
    for run, of_run in training.items():
        if not all(log and log["same"] for log in of_run):
            histories = {name: log[run]["history"] for name, log in zip(names, logs, strict=True) if run in log}
            result[run] = charts.side_by_side(run, histories, names)
    return result


def write(path: Path, content: str) -> None:
    """Writes a file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(content, "utf-8")
    partial.replace(path)


def text(facts: dict[str, Any]) -> list[str]:
    """The facts in lines for a terminal."""
    builds = facts["builds"]
    lines = [
        f"{build['name']}: {compare_tables.described(build)}, {build['verdict'] or 'no verdict'}" for build in builds
    ]
    lines += [f"{name}: {note}" for name, note in notes(facts)]
    for table in compare_tables.tables(facts):
        lines += ["", table.title, *textwrap.wrap(table.note, 120), *_rows(table, [build["name"] for build in builds])]
    return lines


def notes(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """(build, what is to know of it) before its figures are read."""
    result = []
    for build in facts["builds"]:
        if build["stale"]:
            result.append((build["name"], build["stale"]))
        if build["missing"]:
            files = ", ".join(build["missing"][:3]) + (
                f" and {len(build['missing']) - 3} more" * (len(build["missing"]) > 3)
            )
            result.append((build["name"], f"{files}: neither in git nor in the DVC cache: {FETCH}"))
        if build["verdict"] is None:
            result.append((build["name"], "no gates that this version can read"))
    found = facts["answers"]
    for name, counted in found["counts"].items():
        result.append((name, "{lost} answers lost, {won} won, {reworded} others reworded".format(**counted)))
    for name in found["left_out"] if found["metric"] else ():
        result.append((name, f"no answers to {found['suite']} with {found['metric']} here to lay beside others"))
    return result


def _rows(table: Table, names: list[str]) -> list[str]:
    """The lines of a table; what is aside of a cell stands below it."""
    lines = [["", *names]]
    for line in table.lines:
        lines.append([f"  {line.name}" if line.cells else f"{line.name}  {line.aside}", *(c.text for c in line.cells)])
        if any(cell.aside for cell in line.cells):
            lines.append(["", *(cell.aside for cell in line.cells)])
    widths = [max(len(line[i]) for line in lines if len(line) > max(i, 1)) for i in range(len(names) + 1)]
    return ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=False)).rstrip() for line in lines]
