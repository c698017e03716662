"""What `ingest` and `clean` would make of one raw file, or of its first records."""

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from modelmake.errors import UserError
from stages import clean
from stages.cleaning import rules
from stages.params.cleaning import Clean
from stages.params.data import Ingest
from stages.proposing import file_rule, mapping
from stages.reading import files, ratings
from stages.reading.containers.record import Broken, Record
from stages.reading.record_reader import RecordReader
from stages.reading.rejection import RejectedRecord
from stages.reading.text_values import json_value
from stages.rows.accounting import Drop
from stages.rows.row import Content, Judged, Row, make_row
from stages.rows.texts import content_texts

EXCERPT_CHARS = 60
SHOWN_REASONS = ("refusal",)  # those that only a reader can judge
SHOWN_RECORDS = 5  # of such a reason
NO_OBJECT = "no JSON object"
ADVICE_NO_OBJECT = (
    "a record is an object with fields: save an array of records as .json; leave a list of names out by ingest.files"
)
ADVICE = {  # reason of `ingest`, or of a rule of `clean` -> what to do
    "broken_json": "mend the line: one whole JSON object each, in double quotes; `python -m json.tool` says where",
    "repeated_name": "give each name once in an object: rename one of the two, or leave one out",
    "broken_csv": "mend the quotes: RFC 4180 doubles those within a field; a spreadsheet exports it so",
    "broken_html": "fetch the page again, or leave it out",
    "broken_pdf": "recognise its pictures first (OCR), or leave it out",
    "unknown_format": "say in ingest.files which of its fields are those of a format; `modelmake init` may propose it",
    "ambiguous_format": "name its format in ingest.files",
    "no_field": "mend `fields` in ingest.files, or the record",
    "wrong_shape": "mend the record; docs/your-data.md has the shape of each format",
    "wrong_split": "name the splits train, val and test, or leave `split` out of `fields`",
    "wrong_group": "give a group as text or a whole number, or leave `group` out of `fields`",
    "wrong_time": "give times as ISO 8601, such as 2026-01-31T12:00:00Z, or leave `time` out of `fields`",
    "document": "say in ingest.documents how documents become rows, such as {max_chars: 1000, headings: false}",
    "empty_value": "give it a text, or leave such records out where they are made",
    "empty_text": "leave such records out where they are made",
    "empty_question": "give it a question, train on it as text, or leave it out",
    "empty_answer": "leave it out: an empty answer teaches silence",
    "several_turns": "want one turn, the last: put the turns before it into the prompt, the same for both answers",
    "no_answer": "the last turn has to be the assistant's: cut what follows it",
    "bad_alone": "give its prompt a good answer too: the two become a pair",
    "untrained": "give it a turn of the assistant to train on, or leave it out",
    "unrated": "nothing to do: only rated or edited answers become rows",
    "repeated": "nothing to do: `ingest` keeps one of them",
    "over_long": "cut it, or raise clean.max_chars or clean.max_tokens",
    "refusal": "if it says more than no, or the model should refuse here, mend clean.refusals, or write null",
    "role_order": "mend the order of turns, or set clean.turns.roles: any if the template takes it",
    "unknown_role": "name the role system, user, assistant or tool",
    "empty_turn": "leave the turn out where it is made",
    "repeated_turn": "nothing to do, or set clean.turns.repeated: keep",
    "same_answers": "nothing to do: of equal answers none can be preferred",
    "language": "if it is wanted, add it to clean.languages.allowed",
    "personal_data": "redact it instead: move the kind to clean.pii.redact",
}


@dataclass
class Problem:
    """Records that a stage would drop for one reason."""

    stage: str
    reason: str
    records: int
    line: int  # of the first record
    detail: str  # of the first record
    advice: str
    more: list[str] = field(default_factory=list)  # of some other records: `line 9: detail`


@dataclass
class FileReport:
    """What `ingest` and `clean` would make of a file, or of its first records."""

    file: str
    records: int = 0
    whole: bool = True  # all records were read
    unreadable: str = ""  # why the file cannot be read, or not to its end
    rows: int = 0  # after clean
    formats: Counter[str] = field(default_factory=Counter)  # records by format
    splits: Counter[str] = field(default_factory=Counter)  # records by the split that the file gives; "": none
    problems: dict[str, Problem] = field(default_factory=dict)  # by stage and reason
    changed: Counter[str] = field(default_factory=Counter)  # rows by the rule of clean that changes them
    personal: Counter[str] = field(default_factory=Counter)  # matches by kind of personal data
    unread: dict[str, dict[str, Any]] = field(default_factory=dict)  # fields that are in no row, by path
    stops: dict[str, str] = field(default_factory=dict)  # those that may change what rows mean, by path
    named_split: str = ""  # the split that the file's name gives, if it is taken
    entry: str = ""  # of ingest.files, in YAML, with which it could be read
    notes: list[str] = field(default_factory=list)

    def add(self, stage: str, line: int, reason: str, detail: str) -> None:
        """Counts a record that the stage would drop."""
        advice = ADVICE_NO_OBJECT if detail == NO_OBJECT else ADVICE[reason]
        problem = self.problems.setdefault(f"{stage} {reason}", Problem(stage, reason, 0, line, detail, advice))
        problem.records += 1
        if reason in SHOWN_REASONS and 1 < problem.records <= SHOWN_RECORDS:
            problem.more.append(f"line {line}: {detail}")


def list_files(path: Path, ingest: Ingest) -> files.Listing:
    """The files of a path with the rules of `ingest.files`, which match names below `ingest.raw`.

    Of a folder they choose the files, as for `ingest`, unless they match none.
    """
    raw, documents = Path(os.path.abspath(ingest.raw)), ingest.documents is not None
    raw = raw if raw.is_dir() else raw.parent
    root = raw if path.is_relative_to(raw) else path if path.is_dir() else path.parent
    found = files.find(path, root, ingest.files, documents)
    return found if found.files else files.find(path, root, [], documents)


def read(file: files.RawFile, max_records: int, ingest: Ingest, cleaning: Clean) -> FileReport:
    """Reads and cleans the first `max_records` records of a file; 0: all."""
    report = FileReport(file.name)
    if ingest.files and file.rule is None:
        report.notes.append("no entry of ingest.files fits its name: `ingest` would leave it out")
    if ingest.splits == "given":
        report.notes += files.split_note(file.name)
    if cleaning.max_tokens and not Path(cleaning.tokenizer).is_dir():
        report.notes.append(f"lengths in tokens are not checked: {cleaning.tokenizer} is not built yet")
        cleaning = msgspec.structs.replace(cleaning, max_tokens=None)
    reader, ids, answers = RecordReader(file.rule, ingest.documents), set(), []
    first: list[dict[str, Any]] = []
    report.unreadable = file.problem()
    if report.unreadable:
        return report
    records = reader.each_item(_readable(files.read(file.path, file.name, report.notes.append), report))
    for record in islice(records, max_records or None):
        report.records += 1
        if isinstance(record, Broken):
            report.add("ingest", record.line, record.reason, record.detail)
            continue
        if len(first) < file_rule.SEEN_RECORDS:
            first.append(record.value)
        try:
            contents, metadata = reader.read(record.value)
        except RejectedRecord as error:
            report.add("ingest", record.line, error.reason, error.detail)
            continue
        report.formats[reader.format] += 1
        if ingest.splits == "given":
            report.splits[metadata.split or record.split] += 1
        if isinstance(contents, Judged):
            if ingest.judged == "pairs":
                answers.append((record.line, contents))
                continue
            contents = [msgspec.json.encode(contents)]
        for encoded in contents:
            content = msgspec.json.decode(encoded, type=Content)
            row = make_row(content)
            if row.id in ids:
                report.add("ingest", record.line, "repeated", f"same content as another record: {_excerpt(content)}")
                continue
            ids.add(row.id)
            _clean(report, record.line, row, cleaning)
    report.whole = next(records, None) is None
    if ingest.splits == "given":
        report.named_split = files.split_of_name(file.name).split
    report.unread, report.stops = reader.unread.fields, reader.unread.stops
    report.notes += reader.conversations.notes()
    if file.rule is None and first:
        _propose(report, file, first)
    good_prompts = {ratings.prompt_key(answer, "") for _, answer in answers if answer.good}
    for line, answer in answers:
        if ratings.prompt_key(answer, "") in good_prompts:
            _clean(report, line, make_row(answer), cleaning)  # as the chat or the pair that it becomes
        else:
            report.add("ingest", line, *ratings.BAD_ALONE)
    return report


def _readable(records: Iterator[Record | Broken], report: FileReport) -> Iterator[Record | Broken]:
    """The records up to where the file cannot be read."""
    try:
        yield from records
    except UserError as error:
        report.unreadable = str(error)


def _clean(report: FileReport, line: int, row: Row, cleaning: Clean) -> None:
    result, changed_by, personal = clean.clean(row, cleaning)
    report.personal.update(personal)
    if isinstance(result, Drop):
        report.add("clean", line, result.reason, result.detail)
    elif problem := rules.optional_drop_reason(result.content, Path(cleaning.tokenizer), cleaning, Counter()):
        report.add("clean", line, *problem)
    else:
        report.rows += 1
        report.changed.update(changed_by)


def refusal(report: FileReport, ingest: Ingest) -> str:
    """Why `ingest` would refuse the file by itself; "" if it would not."""
    lost = {p.reason: p.records for p in report.problems.values() if p.stage == "ingest" and p.reason != "repeated"}
    unusable = sum(n for reason, n in lost.items() if reason not in ratings.EXPECTED_REASONS)
    if report.unreadable:
        return "it cannot be read"
    if not report.records:
        return "it has no records"
    if sum(lost.values()) == report.records:
        return "none of its records is usable"
    if report.stops:
        return f"{', '.join(report.stops)}: not read, and rows without may mean something else"
    if unusable / report.records > ingest.max_rejected_fraction:
        return (
            f"{unusable / report.records:.2%} of its records are unusable, at most {ingest.max_rejected_fraction:.2%} "
            "may be"
        )
    return ""


def _propose(report: FileReport, file: files.RawFile, records: list[dict[str, Any]]) -> None:
    """Adds an entry of ingest.files that reads the records, if they need one, or why there is none.

    It ignores fields that may change what rows mean only where the records tell their format.
    """
    try:
        rule = file_rule.propose(file.name, records).rule
    except UserError as error:
        report.notes += [*_shape_notes(file, records), str(error)]
        return
    if rule is None and report.stops:
        report.entry = file_rule.entry(file.name, {"ignore": list(report.stops)})
    if rule is not None:
        reader = file_rule.reader_of(rule)
        for record in records:
            with contextlib.suppress(RejectedRecord):
                reader.read(record)
        ignore = [path for path in mapping.ignorable(reader.unread.fields, rule.get("fields") or {})
                  if path not in reader.unread.stops]  # fmt: skip
        report.entry = file_rule.entry(file.name, {**rule, "ignore": [*rule.get("ignore", ()), *ignore]})


def _shape_notes(file: files.RawFile, records: list[dict[str, Any]]) -> Iterator[str]:
    """What may be wrong with records of no known format, besides the names of their fields."""
    if files.suffixes(file.path)[0] in (".csv", ".tsv"):
        yield f"its first line names its columns {', '.join(records[0])}: if it is a row, put a line of names above it"
    for name, value in records[0].items():
        try:
            inner = json_value(value) if isinstance(value, str) and value.lstrip()[:1] in ("{", "[") else None
        except (ValueError, RecursionError):
            continue
        if isinstance(inner, dict):
            yield f"its field {name} holds a record as text: make that the record; its fields are {', '.join(inner)}"
        elif isinstance(inner, list):
            yield f"its field {name} holds a list as text: map it, if it is of messages: `messages: {name}`"


def _excerpt(content: Content) -> str:
    text = " ".join(" ".join(content_texts(content)).split())
    return text if len(text) <= EXCERPT_CHARS else f"{text[: EXCERPT_CHARS - 3]}…"
