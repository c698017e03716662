"""`modelmake check FILE…`: what `ingest` and `clean` would say of files before they join the raw data, in a second."""

import argparse
import fnmatch
import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import msgspec

from modelmake import params
from modelmake.errors import UserError
from stages import clean
from stages.params.data import Clean, Ingest
from stages.reading import files, ratings
from stages.reading import record as reading
from stages.reporting.summaries import count
from stages.rows import texts
from stages.rows.accounting import Drop
from stages.rows.row import Content, Row, make_row

PARAMS = "params.yaml"
ADVICE = {  # reason -> what to do; also those that rules of `clean` give
    "broken_json": "mend the line: one whole JSON object each, in double quotes; `python -m json.tool` says where",
    "broken_csv": "mend the quotes: RFC 4180 doubles those within a field; a spreadsheet exports it so",
    "broken_html": "fetch the page again, or leave it out",
    "broken_pdf": "recognise its pictures first (OCR), or leave it out",
    "unknown_format": "say in ingest.files which of its fields are those of a format: docs/your-data.md, Other fields",
    "ambiguous_format": "name its format in ingest.files",
    "no_field": "mend `fields` in ingest.files, or the record",
    "wrong_shape": "mend the record; docs/your-data.md has the shape of each format",
    "wrong_split": "name the splits train, val and test, or leave `split` out of `fields`",
    "wrong_group": "give a group as text or a whole number, or leave `group` out of `fields`",
    "wrong_time": "give times as ISO 8601, such as 2026-01-31T12:00:00Z, or leave `time` out of `fields`",
    "document": "say in ingest.documents how documents become rows",
    "empty_text": "leave such records out where they are made",
    "empty_question": "an answer to nothing teaches nothing: leave it out, or train on it as text",
    "empty_answer": "an empty answer teaches silence: leave it out",
    "no_answer": "the last turn has to be the assistant's: cut what follows it",
    "bad_alone": "give its prompt a good answer too: the two become a pair",
    "unrated": "nothing to do: what nobody rated or edited says nothing",
    "repeated": "`ingest` keeps one of them; nothing to do",
    "over_long": "cut it, or raise clean.max_chars or clean.max_tokens",
    "refusal": "if the model should refuse here, take the phrase out of clean.refusals",
    "role_order": "mend the order of turns, or set clean.turns.roles: any if the template takes it",
    "unknown_role": "name the role system, user, assistant or tool",
    "empty_turn": "leave the turn out where it is made",
    "repeated_turn": "nothing to do, or set clean.turns.repeated: keep",
    "language": "if it is wanted, add it to clean.languages.allowed",
    "personal_data": "redact it instead: move the kind to clean.pii.redact",
}


@dataclass
class Problem:
    """Records that would go no further, for one reason."""

    stage: str
    reason: str
    records: int
    line: int  # of the first
    detail: str  # of the first
    advice: str


@dataclass
class Found:
    """What would become of a file, or of its first records."""

    file: str
    records: int = 0
    whole: bool = True  # all records were looked at
    rows: int = 0  # after clean
    formats: Counter[str] = field(default_factory=Counter)
    problems: dict[str, Problem] = field(default_factory=dict)
    changed: Counter[str] = field(default_factory=Counter)
    personal: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, stage: str, line: int, reason: str, detail: str) -> None:
        first = Problem(stage, reason, 0, line, detail, ADVICE[reason])
        self.problems.setdefault(f"{stage} {reason}", first).records += 1


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a raw file, or a folder of some")
    parser.add_argument("--records", type=int, default=2000, help="of each file, from its beginning; 0 is all (2000)")
    parser.add_argument("--json", action="store_true", help="the same facts for programs")


def run(arguments: argparse.Namespace) -> int:
    """0: `ingest` would take each of the files by itself; 1: it would refuse one."""
    values = params.load(Path(PARAMS))
    ingest, cleaning = (params.section(values, kind.section, kind, PARAMS) for kind in (Ingest, Clean))
    paths = [Path(arguments.here, file) for file in arguments.files]
    if missing := [str(path) for path in paths if not path.exists()]:
        raise UserError(f"{', '.join(missing)}: no such file or folder: want raw data to look at")
    found = [look(raw, arguments.records, ingest, cleaning) for path in paths for raw in _raw(path, ingest)]
    if arguments.json:
        told = [{**file, "problems": list(file["problems"].values())} for file in msgspec.to_builtins(found)]
        print(json.dumps({"files": told}, indent=1))
    else:
        print("\n".join(line for file in found for line in _lines(file, ingest)))
    return int(any(refused(file, ingest) for file in found))


def _raw(path: Path, ingest: Ingest) -> list[files.Raw]:
    """The files of a path by the names that `ingest.files` would know them by, if they were below ingest.raw."""
    raw = Path(ingest.raw).resolve()
    found = []
    for file in files.files(path, []):
        here = file.path.resolve()
        name = here.relative_to(raw).as_posix() if here.is_relative_to(raw) else file.name
        told = next((entry for entry in ingest.files if fnmatch.fnmatchcase(name, entry.glob)), None)
        found.append(files.Raw(file.path, name, told))
    return found


def look(file: files.Raw, limit: int, ingest: Ingest, cleaning: Clean) -> Found:
    """Reads and cleans the first `limit` records of a file, or all where that is 0."""
    found = Found(file.name)
    if ingest.files and file.told is None:
        found.notes.append("no entry of ingest.files fits its name: `ingest` would leave it out")
    if cleaning.max_tokens and not Path(cleaning.tokenizer).is_dir():
        found.notes.append(f"lengths in tokens are not looked at: {cleaning.tokenizer} is not there yet")
        cleaning = msgspec.structs.replace(cleaning, max_tokens=None)
    reader, seen, answers = reading.Reader(file.told, ingest.documents), set(), []
    every = files.read(file.path, file.name)
    for record in islice(every, limit or None):
        found.records += 1
        if isinstance(record, files.Broken):
            found.add("ingest", record.line, record.reason, record.why)
            continue
        try:
            contents, _ = reader.read(record.value)
        except reading.Unfit as error:
            found.add("ingest", record.line, *error.args)
            continue
        found.formats[reader.form] += 1
        if isinstance(contents, ratings.Judged):
            answers.append((record.line, contents))
            continue
        for encoded in contents:
            content = msgspec.json.decode(encoded, type=Content)
            row = make_row(content)
            if row.id in seen:
                found.add("ingest", record.line, "repeated", f"the very same as another: {_start(content)}")
                continue
            seen.add(row.id)
            _clean(found, record.line, row, cleaning)
    found.whole = next(every, None) is None
    good = {ratings.key(answer, "") for _, answer in answers if answer.good}
    for line, answer in answers:
        if ratings.key(answer, "") in good:
            _clean(found, line, make_row(ratings.chat(answer)), cleaning)  # a bad one too: its pair says the same
        else:
            found.add("ingest", line, *ratings.ALONE)
    return found


def _clean(found: Found, line: int, row: Row, cleaning: Clean) -> None:
    result, rules, personal = clean.clean(row, cleaning)
    found.personal.update(personal)
    if isinstance(result, Drop):
        found.add("clean", line, result.reason, result.detail)
    elif problem := clean.chosen(result.content, Path(cleaning.tokenizer), cleaning, Counter()):
        found.add("clean", line, *problem)
    else:
        found.rows += 1
        found.changed.update(rules)


def refused(file: Found, ingest: Ingest) -> str:
    """Why `ingest` would refuse a file if it were alone; "" where it would not."""
    lost = {p.reason: p.records for p in file.problems.values() if p.stage == "ingest" and p.reason != "repeated"}
    bad = sum(n for reason, n in lost.items() if reason not in ratings.FINE)
    if not file.records:
        return "it has no records"
    if sum(lost.values()) == file.records:
        return "none of its records is usable"
    if bad / file.records > ingest.max_rejected_fraction:
        return (
            f"{bad / file.records:.2%} of its records are unusable, at most {ingest.max_rejected_fraction:.2%} may be"
        )
    return ""


def _start(content: Content) -> str:
    text = " ".join(" ".join(texts.texts(content)).split())
    return text if len(text) <= 60 else f"{text[:57]}…"


def _lines(file: Found, ingest: Ingest) -> list[str]:
    formats = ", ".join(f"{name} {n:,}" for name, n in sorted(file.formats.items())) or "of no format"
    first = "" if file.whole else "the first "
    lines = [f"{file.file}: {first}{count(file.records, 'records')} ({formats}), cleaned {count(file.rows, 'rows')}"]
    lines += [f"  {note}" for note in file.notes]
    for problem in sorted(file.problems.values(), key=lambda p: -p.records):
        lines.append(
            f"  {problem.stage}: {problem.reason} {problem.records:,}, first in line {problem.line}: {problem.detail}"
        )
        lines.append(f"    {problem.advice}")
    if why := refused(file, ingest):
        lines.append(f"  `ingest` would refuse it by itself: {why}")
    if file.changed:
        lines.append(f"  clean changes {', '.join(f'{rule} {n:,}' for rule, n in sorted(file.changed.items()))}")
    if file.personal:
        lines.append(f"  personal data: {', '.join(f'{kind} {n:,}' for kind, n in sorted(file.personal.items()))}")
    return lines
