"""`modelmake twin`: whether the chain of steps holds, on a small copy of the base, before any GPU time."""

import argparse
import contextlib
import hashlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from modelmake import params
from modelmake.errors import UserError
from modelmake.keys import stage_key
from modelmake.running import state_dir
from stages import preflight
from stages.commands import twin_chain
from stages.commands.twin_chain import Twin
from stages.params.cross_checks import MIXED
from stages.rows import jsonl
from stages.twinning import rows, shrunk
from stages.twinning.fault import PARTS
from stages.twinning.small_step import ROWS, small

PASSED = "twin"  # folder of the state folder: a file named by what was proved, which holds what was said


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--again", action="store_true", help="also if nothing changed since it passed")


def run(options: argparse.Namespace) -> int:
    """0: the chain holds, 1: it breaks."""
    chapters, problems = preflight.decode(params.load(preflight.FILE))
    if problems := problems + preflight.project_problems(chapters):
        raise UserError("\n".join(problems))
    mixed = Path(*MIXED)
    files = [mixed / f"{kind}.jsonl" for kind in sorted({step.rows for step in chapters["train"].values()})]
    if missing := [file for file in files if not file.is_file()]:
        raise UserError(f"{missing[0]}: not there yet: want the rows of training; run `dvc repro mix`")
    passed = state_dir.folder(Path()) / PASSED / proved(chapters, files)
    if passed.exists() and not options.again:
        print(f"twin: nothing changed since it passed: {passed.read_text('utf-8')}")
        return 0
    with tempfile.TemporaryDirectory() as work:
        twin = Twin.at(Path(work), mixed, chapters["machine"].threads)
        with contextlib.redirect_stdout(sys.stderr):  # of the stages
            faults = twin_chain.prove(
                twin, Path(chapters["base"].source), chapters["base"], chapters["train"], chapters["quantize"]
            )
    for fault in faults:
        print(f"twin: {fault}")
    if faults:
        return 1
    line = summary(twin)
    passed.parent.mkdir(parents=True, exist_ok=True)
    passed.write_text(line, "utf-8")
    for part, what in PARTS.items():
        print(f"  {part}: {what}")
    print(f"twin: {line}")
    return 0


def summary(twin: Twin) -> str:
    """What was proved, and what was not."""
    steps = ", ".join(f"{name} on {counts['rows']} rows" for name, counts in twin.steps.items())
    notes = "; ".join(sorted(set(twin.notes)))
    return f"holds: {steps}{f'; not proved: {notes}' if notes else ''}"


def proved(chapters: dict[str, Any], files: list[Path]) -> str:
    """A hash of all that decides what the twin finds: code, packages, steps as it runs them, its rows, the base.

    A learning rate is not in it, nor are the weights of the base, nor a row that it does not read.
    """
    steps, quants, base = chapters["train"], chapters["quantize"], chapters["base"]
    modules, _ = params.selected_code([base, *steps.values(), *quants.values()])
    source = Path(base.source)
    described = [file for pattern in shrunk.FILES for file in sorted(source.glob(pattern))] or [source]
    content = {
        "code": stage_key.compute(Path(), twin_chain.__name__, modules),
        "steps": {name: small(step) for name, step in steps.items()},
        "quants": quants,
        "base": [base, *(hashlib.sha256(file.read_bytes()).hexdigest() for file in described if file.is_file())],
        "rows": [[row.id for row in rows.chosen(jsonl.read(file), ROWS)] for file in files],
    }
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:24]
