"""`modelmake check FILE…`: reports what `ingest` and `clean` would do with files before they join the raw data."""

import argparse
import json
import os
from pathlib import Path

import msgspec

from modelmake import params
from modelmake.errors import UserError
from stages.commands import file_report
from stages.commands.file_report import FileReport, refusal
from stages.params.cleaning import Clean
from stages.params.data import Ingest
from stages.reading.field_mapping import rule_problems
from stages.reading.files import Listing
from stages.reporting.formatting import count

PARAMS = "params.yaml"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="raw files, or folders of them")
    parser.add_argument("--records", type=int, default=2000, help="of each file, from its beginning; 0: all (2000)")
    parser.add_argument("--json", action="store_true", help="prints the same facts as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Prints the reports. Exit code 0: `ingest` would accept each file by itself; 1: it would refuse one."""
    values = params.load(Path(PARAMS))
    ingest, cleaning = (params.section(values, kind.section, kind, PARAMS) for kind in (Ingest, Clean))
    paths = [Path(arguments.here, file) for file in arguments.files]
    problems = [f"{PARAMS}: {problem}" for problem in rule_problems(ingest.files, "ingest.files")]
    problems += [f"{path}: no such file or folder: want raw data to look at" for path in paths if not path.exists()]
    if problems:
        raise UserError("\n".join(problems))
    reports = []
    left_out = Listing([], {})
    for path in paths:
        found = file_report.list_files(Path(os.path.abspath(path)), ingest)
        left_out.left_out.update(found.left_out)
        reports += [file_report.read(file, arguments.records, ingest, cleaning) for file in found.files]
    usable = [report for report in reports if not refusal(report, ingest)]
    untrained = _untrained(usable)
    if arguments.json:
        plain = [{**report, "problems": list(report["problems"].values())} for report in msgspec.to_builtins(reports)]
        print(json.dumps({"files": plain, "left_out": left_out.left_out, "untrained": untrained}, indent=1))
    else:
        lines = [line for report in reports for line in _lines(report, ingest)]
        if told := left_out.told():
            lines.append(f"left out: {', '.join(told)}")
        if untrained or not reports:
            lines.append(untrained or "no files of data: want raw data to look at")
        print("\n".join(lines))
    return int(not reports or len(usable) < len(reports))


def _untrained(reports: list[FileReport]) -> str:
    """Why none of the files has a record to train on; "" if one may have."""
    splits = {split for report in reports for split in report.splits}
    if not splits or splits & {"", "train"} or not all(report.whole or report.named_split for report in reports):
        return ""
    names = [report.file for report in reports if report.named_split]
    given = f"the names {', '.join(names)} make them" if names else "the files make them"
    return (
        f"nothing of this is trained on: {given} {' and '.join(sorted(splits))}: rename, map a field to `split` in "
        "ingest.files, or set ingest.splits: none"
    )


def _lines(report: FileReport, ingest: Ingest) -> list[str]:
    formats = ", ".join(f"{name} {n:,}" for name, n in sorted(report.formats.items())) or "of no format"
    first = "" if report.whole else "the first "
    records, rows = count(report.records, "records"), count(report.rows, "rows")
    if report.unreadable and not report.records:
        return [report.unreadable]
    lines = [f"{report.file}: {first}{records} ({formats}), cleaned {rows}"]
    lines += [f"  {note}" for note in report.notes]
    if given := ", ".join(f"{split} {n:,}" for split, n in sorted(report.splits.items()) if split):
        lines.append(f"  splits given by {'its name' if report.named_split else 'the file'}: {given}")
    if report.unreadable:
        lines.append(f"  {report.unreadable}")
    for problem in sorted(report.problems.values(), key=lambda p: -p.records):
        lines.append(
            f"  {problem.stage}: {problem.reason} {problem.records:,}, first in line {problem.line}: {problem.detail}"
        )
        lines += [f"    {more}" for more in (*problem.more, problem.advice)]
    for path, unread in report.unread.items():
        may_be = f"; may be {report.stops[path]}" if path in report.stops else ""
        lines.append(
            f"  not read: {path} of {count(unread['records'], 'records')}, such as {unread['example']!r}{may_be}"
        )
    if report.stops:
        lines.append("    map such fields in `fields` of ingest.files, or name them in `ignore`")
    if report.entry:
        lines.append(f"  it could be read with this entry of ingest.files: {report.entry}")
    if why := refusal(report, ingest):
        lines.append(f"  `ingest` would refuse it by itself: {why}")
    if report.changed:
        lines.append(f"  clean changes {', '.join(f'{rule} {n:,}' for rule, n in sorted(report.changed.items()))}")
    if report.personal:
        lines.append(f"  personal data: {', '.join(f'{kind} {n:,}' for kind, n in sorted(report.personal.items()))}")
    return lines
