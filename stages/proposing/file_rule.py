"""The entry of `ingest.files` that a file needs, told by its first records."""

import contextlib
import glob
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import msgspec
import yaml

from modelmake.errors import UserError
from stages.params.data import Documents, FileRule
from stages.proposing import choices, mapping, shapes
from stages.reading import placeholders, ratings
from stages.reading.formats import READERS
from stages.reading.record_reader import NO_FORMAT, RecordReader
from stages.reading.rejection import RejectedRecord
from stages.reading.unread import empty
from stages.rows import parts
from stages.rows.row import Content, Judged

SEEN_RECORDS = 200  # of each file, to tell its format
DOCUMENTS = Documents(max_chars=1000, headings=True)
REPEATED = 3  # records of an answer on average, or answers are not those of a classifier
NUMBER = re.compile(r"-?\d+(\.\d+)?")
CHOICES = ("question", "choices", "answer")
QA = "{glob: %r, format: qa, fields: {question: …, answer: …}, ignore: []}"


class Proposed(NamedTuple):
    rule: dict[str, Any] | None  # format, fields, ignore: those that are needed; None: the records tell their format
    notes: Sequence[str] = ()  # why


def propose(name: str, values: list[dict[str, Any]]) -> Proposed:
    """What a file needs, by its first records.

    Raises:
        UserError: neither their fields nor the names and shapes of these tell.
    """
    reader, formats, usable = RecordReader(None, DOCUMENTS), Counter[str](), False
    for value in values:
        with contextlib.suppress(RejectedRecord):
            reader.read(value)
            usable = True
        formats[reader.format] += 1
    known = [format for format in formats if format not in NO_FORMAT]
    if sum(formats[format] for format in known) * 2 > len(values):
        more = _beside(known[0], values) if len(known) == 1 else {}
        if not _left_out(known, values, more) and (usable or isinstance(mapping.propose(values), mapping.Asked)):
            return _detected(name, known, reader, values, more)
    found = mapping.propose(values)
    if isinstance(found, mapping.Mapping):
        _check_polarity(values, found.fields.get("label", found.fields.get("output", "")))
        said = ", ".join(f"{field}: {path}" for field, path in found.fields.items())
        return Proposed(_rule(found), [f"{found.format}, by the names of its fields ({said})"])
    _ask(name, found, values)


def _ask(name: str, found: mapping.Asked, values: list[dict[str, Any]]) -> NoReturn:
    """Raises what has to be asked, with the entries to choose from."""
    names = ", ".join(node.path for node in mapping.nodes(values) if node.is_leaf)
    told = advice(*(entry(name, _rule(one)) for one in found.mappings) if found.mappings else (QA % glob.escape(name),))
    raise UserError(
        f"{found.why}: want to know which is which; {told}; or name the other files only. Its fields: {names}"
    )


def _rule(found: mapping.Mapping) -> dict[str, Any]:
    return {"format": found.format, "fields": found.fields}


def advice(*entries: str) -> str:
    """What to do, with entries of `ingest.files` to choose from."""
    given = "`, or `".join(f"ingest: {{files: [{entry}]}}" for entry in entries)
    return f"write a recipe of yours and add `--recipe FILE.yaml`: `{given}`"


def entry(name: str, rule: dict[str, Any]) -> str:
    """An entry of `ingest.files` in YAML, on one line."""
    whole = {"glob": glob.escape(name), **complete(rule)}
    style = {"default_flow_style": True, "sort_keys": False, "allow_unicode": True, "width": float("inf")}
    return yaml.safe_dump(whole, **style).strip()


def complete(rule: dict[str, Any] | None) -> dict[str, Any]:
    """A whole entry of `ingest.files` but for its glob; what is not said there is null, or empty."""
    return {"format": None, "fields": None, "ignore": [], **(rule or {})}


def reader_of(rule: dict[str, Any] | None) -> RecordReader:
    return RecordReader(FileRule("*", **complete(rule)), DOCUMENTS)


def contents(read: list[bytes] | Judged) -> list[Content]:
    """What a record reader returns, as contents."""
    return [read] if isinstance(read, Judged) else [msgspec.json.decode(content, type=Content) for content in read]


def _detected(
    name: str, known: list[str], reader: RecordReader, values: list[dict[str, Any]], more: dict[str, str]
) -> Proposed:
    """What is needed where the records tell their format.

    Args:
        more: fields of the format, and their paths, which the records have under other names.
    """
    _check_scales(name, known, values)
    if known == ["labelled"]:
        _check_polarity(values, ratings.LABEL)
    if ratings.LABEL in reader.unread.stops:
        return _labelled(name, values)
    by_field = mapping.metadata(mapping.nodes(values), shapes.MOST * len(values))
    says = {"split": "splits it", "group": "names what belongs together: one split has all rows of a value"}
    notes = [f"its field {path} {says[role]}" for role, path in by_field.items()]
    if more:
        notes.append(f"fields by their names ({', '.join(f'{field}: {path}' for field, path in more.items())})")
    own = _own_fields(known[0], values) if len(known) == 1 else {}
    if not own:
        if known == ["multiple_choice"] and choices.counted_from(values, {name: name for name in CHOICES}) != 0:
            raise UserError("its answers may count the choices from 1: want the same fields in each record to map")
        return Proposed(None)
    found = mapping.counted(mapping.Mapping(known[0], own | more | by_field), values)
    if isinstance(found, mapping.Asked):
        _ask(name, found, values)
    if "answer_from_1" in found.fields and "answer" in own:
        notes.append("its answers count the choices from 1")
    return Proposed(_rule(found), notes) if notes else Proposed(None)


def _check_scales(name: str, known: list[str], values: list[dict[str, Any]]) -> None:
    """Raises UserError where a rating that is read is on a scale: nothing says from where on it is good."""
    for field in ratings.FIELDS:
        is_read = field != ratings.LABEL and any(field in READERS[format].FIELDS for format in known)
        if is_read and (numbers := ratings.scale(value.get(field) for value in values)):
            raise UserError(
                f"its field {field} rates answers on a scale, {numbers}: want good or bad: {ratings.ON_A_SCALE}; or "
                f"leave it out: {advice(entry(name, {'ignore': [field]}))}"
            )


def _check_polarity(values: list[dict[str, Any]], label: str) -> None:
    """Raises UserError where a label -1 may be a class, beside 1, or stand for none."""
    said = {str(value.get(label)).strip().removesuffix(".0") for value in values} - {"", "None", "nan"}
    if label in placeholders.NAMES and {"-1", "1"} <= said <= {"-1", "0", "1"}:
        raise UserError(
            f"its field {label} is {', '.join(sorted(said))}: -1 may be a class, or stand for none: want the name of "
            "the class in its place, such as negative, or no such records"
        )


def _beside(format: str, values: list[dict[str, Any]]) -> dict[str, str]:
    """{field of the format: the name that all records have for it}, where that tells."""
    own = _own_fields(format, values)
    found = [node for node in mapping.nodes(values) if node.path not in READERS[format].FIELDS]
    return mapping.beside(format, own, found, shapes.MOST * len(values)) if own else {}


def _left_out(known: list[str], values: list[dict[str, Any]], more: dict[str, str]) -> bool:
    """True if the formats of the records would leave out a text that may belong to a question."""
    read = {name for format in known for name in READERS[format].FIELDS} | {*more.values()}
    parts = mapping.parts_of_questions([node for node in mapping.nodes(values) if node.path.split(".")[0] not in read],
                                       len(values) / 2)  # fmt: skip
    for value in values:
        said = [str(item) for name, item in value.items() if name in read]
        given = [node.values[0] for node in mapping.nodes([value]) if node.path in parts]
        texts = filter(shapes.text, given)
        if any(text not in "\0".join(said) and not all(item in text for item in said) for text in texts):
            return True
    return False


def _own_fields(format: str, values: list[dict[str, Any]]) -> dict[str, str]:
    """The fields of a format, each by its own name, if the records have the same ones; else {}."""
    sets = {tuple(name for name in READERS[format].FIELDS if name in value) for value in values}
    return {name: name for name in next(iter(sets))} if len(sets) == 1 else {}


def _labelled(name: str, values: list[dict[str, Any]]) -> Proposed:
    """What is needed where a label beside an answer may judge it, or may be the class of a text.

    Raises:
        UserError: the records do not tell which it is.
    """
    plain = {"ignore": [ratings.LABEL]}
    reader, found, format = reader_of(plain), [], ""
    for value in values:
        if empty(value.get(ratings.LABEL)):
            continue
        with contextlib.suppress(RejectedRecord):
            for content in contents(reader.read(value)[0]):
                split, format = parts.split(content), reader.format
                question, answer = (msgspec.json.encode(turns).decode() for turns in (split.prompt, split.answer))
                found.append((question, answer, str(value.get(ratings.LABEL)).strip().lower()))
    of_answers, of_questions = defaultdict(set), defaultdict(set)
    for question, answer, label in found:
        of_answers[answer].add(label)
        of_questions[question].add(label)
    if any(label not in ratings.RATINGS and not NUMBER.fullmatch(label) for *_, label in found):
        return Proposed(plain, [f"{ratings.LABEL} judges no answer, by its words"])
    if len(of_answers) * REPEATED <= len(found) and all(len(labels) == 1 for labels in of_answers.values()):
        return Proposed(plain, [f"{ratings.LABEL} says what the answer says, so it judges none"])
    if numbers := ratings.scale(label for *_, label in found):
        raise UserError(
            f"its field {ratings.LABEL}, {numbers}, may rate answers on a scale, or say which class a text has: want "
            f"good or bad: {ratings.ON_A_SCALE}; or leave it out: {advice(entry(name, plain))}"
        )
    own = _own_fields("kto" if format == "completion" else format, values)
    judging = {"format": "kto" if format == "completion" else format, "fields": own | {ratings.LABEL: ratings.LABEL}}
    if any(len(labels) > 1 for labels in of_questions.values()) and own:
        return Proposed(judging, [f"{ratings.LABEL} judges answers: it differs for the same question"])
    both = [entry(name, rule) for rule in ([judging] if own else []) + [plain]]
    raise UserError(
        f"its field {ratings.LABEL} may judge the answers, or say which class a text has: want to know which; "
        f"{advice(*both)}; the first judges"
    )
