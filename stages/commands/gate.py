"""`modelmake gate`: whether the build may ship, by its gates and the error budgets of their suites."""

import json
import math
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from modelmake import artifacts, git
from modelmake.blaming import revisions
from modelmake.dvc import graph
from modelmake.dvc.graph import Stage
from modelmake.errors import UserError
from modelmake.planning import plan
from modelmake.planning.forecast import Status
from modelmake.planning.plan import Step
from stages.commands import looks
from stages.commands.looks import Spent
from stages.evaluating.verdicts import ALLOW, INCONCLUSIVE, REJECT, of_all

EXIT = {ALLOW: 0, REJECT: 1, INCONCLUSIVE: 2}
SHALLOW = (
    "this clone lacks older commits, so nobody knows here how often people looked at the rows: `git fetch --unshallow` "
    "(in GitHub Actions fetch-depth: 0)"
)
COLUMNS = ("gate", "verdict", "value", "interval", "bound", "smallest effect", "more rows")


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--rev", help="the build that a commit records, instead of the one in the working tree")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the same facts for programs")
    form.add_argument("--markdown", action="store_true", help="as a table in Markdown, for a comment on a change")


def run(arguments: Namespace) -> int:
    """Prints the gates; returns 0 for ALLOW, 1 for REJECT, 2 for INCONCLUSIVE."""
    root = Path()
    compare = deciding(root)
    path = compare.flags["gate"]
    content, until = committed(root, path, arguments.rev) if arguments.rev else (_present(root, path), math.inf)
    gate = decoded(content, path, arguments.rev)
    stale = "" if arguments.rev else staleness(plan.plan(root), compare.name)
    spent, unknown = looks.spent(root, path, gate, until)
    report = judged(gate, spent, stale)
    if arguments.json:
        print(json.dumps(report | {"unknown_looks": unknown}, indent=1))
    else:
        print("\n".join([*_table(report["gates"], arguments.markdown), "", *_notes(report, unknown)]))
    return EXIT[report["verdict"]]


def deciding(root: Path) -> Stage:
    """The stage that decides the gates.

    Raises:
        UserError: there is none.
    """
    compare = next((stage for stage in graph.stages(root).values() if stage.module == "stages.compare"), None)
    if compare is None:
        raise UserError("dvc.yaml: no stage runs stages.compare: want one: it decides the gates")
    return compare


def judged(gate: dict[str, Any], spent: dict[str, Spent], stale: str) -> dict[str, Any]:
    """The gates as the command tells them: of a stale build none is decided, and a budget that is spent, or that nobody
    can know here, allows nothing.
    """
    gates = {}
    for name, found in gate["gates"].items():
        of_suite = spent.get(found["suite"])
        doubt = (_over(found["suite"]) if of_suite.is_over else SHALLOW if of_suite.shallow else "") if of_suite else ""
        reason = stale or (doubt if found["verdict"] == ALLOW else "")
        gates[name] = found | ({"verdict": INCONCLUSIVE, "why": reason} if reason else {})
    budgets = {suite: entry._asdict() | {"over": entry.is_over} for suite, entry in spent.items()}
    return {"verdict": of_all(gates), "stale": stale, "gates": gates, "suites": budgets}


def _over(suite: str) -> str:
    return (
        f"the error budget of {suite} is spent: people have chosen by these rows too often; make a fresh golden set "
        "(split.golden), or add held-out rows until more than half of them are new"
    )


def _present(root: Path, path: str) -> bytes:
    if not (root / path).is_file():
        raise UserError(f"{path}: no such file: want the gates of a build; run `dvc repro`")
    return (root / path).read_bytes()


def committed(root: Path, path: str, revision: str) -> tuple[bytes, float]:
    """(gate.json of a commit, when that was made).

    Raises:
        UserError: there is no such commit, build or file, or dvc.lock there records another one.
    """
    build = revisions.read(root, revision)
    content = build.file(root, path)
    if content is None:
        raise UserError(f"--rev {revision}: no {path} there: want a commit of a build")
    recorded = {out: md5 for stage in build.stages.values() for out, md5 in stage.outs.items()}
    if recorded.get(path) != artifacts.md5(content):
        raise UserError(f"--rev {revision}: {path} is not the one that dvc.lock records there: want a whole build")
    return content, git.timestamp(root, build.commit)


def decoded(content: bytes, path: str, revision: str | None) -> dict[str, Any]:
    """What `compare` wrote to gate.json.

    Raises:
        UserError: it is of an older version, or no JSON.
    """
    where = f"{revision}:{path}" if revision else path
    try:
        gate = json.loads(content)
    except ValueError as error:
        raise UserError(f"{where}: not JSON: {error}: want what `compare` writes; run `dvc repro`") from None
    if "suites" not in gate:
        raise UserError(f"{where}: of an older version, which knew no evidence: run `dvc repro`")
    return gate


def staleness(planned: list[Step], stage: str) -> str:
    """Why the gates in the working tree are not those of its data, parameters and code; "" if they are."""
    steps = [step for step in planned if step.stage.rpartition(":")[2] == stage]
    if not steps or steps[0].status == Status.FRESH:
        return ""
    reasons = "; ".join(steps[0].reasons[:2])
    return f"{stage} {steps[0].status} ({reasons}): these gates are of another build; run `dvc repro`"


def _table(gates: dict[str, dict[str, Any]], markdown: bool) -> list[str]:
    lines = [COLUMNS, *(_cells(name, gate) for name, gate in gates.items())]
    if markdown:
        rows = [f"| {' | '.join(line)} |" for line in lines]
        return [rows[0], f"|{'---|' * len(COLUMNS)}", *rows[1:]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _cells(name: str, gate: dict[str, Any]) -> tuple[str, ...]:
    if "value" not in gate:
        return name, gate["verdict"], "", "", f"{gate['wanted']}", "", ""
    smallest, rows, marks = gate["smallest_effect"], gate.get("more_rows", 0), gate.get("more_marks", 0)
    more = [*([f"{rows:,}"] if rows else []), *([f"{marks:,} marks"] if marks else [])]
    return (
        name, gate["verdict"], f"{gate['value']:.4f}", f"{gate['low']:.4f} to {gate['high']:.4f}",
        f"{gate['limit']} {gate['wanted']}", "none" if smallest is None else f"{smallest:.4f}",
        "never enough" if rows is None else ", ".join(more),
    )  # fmt: skip


def _notes(report: dict[str, Any], unknown: int) -> list[str]:
    told = (name for name, gate in report["gates"].items() if gate["verdict"] != ALLOW or gate.get("warning"))
    notes = [f"{name}: {report['gates'][name]['why']}" for name in told]
    for suite, entry in report["suites"].items():
        notes.append(
            f"{suite}: {entry['looks']} {'look' if entry['looks'] == 1 else 'looks'} at these rows spent "
            f"{100 * entry['error']:.3g} % of an error budget of {100 * entry['budget']:.3g} %; one more spends "
            f"{100 * entry['level']:.3g} %"
        )
        if entry["compared"] < entry["rows"]:
            notes.append(
                f"{suite}: whether an earlier look was at these rows is told by {entry['compared']} of their "
                f"{entry['rows']:,} ids, a random sample; the others are not compared"
            )
        if entry["shallow"]:
            notes.append(f"{suite}: {SHALLOW}")
    if unknown:
        notes.append(f"{unknown} older gate.json do not say which rows they saw: not counted")
    if not report["gates"]:
        notes.append("no gates are declared, so nothing is proven: add some to compare.gates")
    if report["stale"]:
        notes.append(report["stale"])
    return [*notes, "", report["verdict"]]
