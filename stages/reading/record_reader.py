"""Raw records to canonical contents: the format is given or detected, fields are mapped, contents are validated."""

from collections.abc import Set
from typing import Any, NamedTuple

import msgspec

from modelmake.errors import UserError
from stages.params.data import Documents, FileRule
from stages.reading import documents, formats, ratings
from stages.reading.containers.split_names import split_from_name
from stages.reading.rejection import RejectedRecord
from stages.rows.parts import content_problem
from stages.rows.row import Chat, Content, Judged, Pair, Text, content_id
from stages.rows.timestamps import utc_timestamp

MAX_FIELD_SETS = 1024  # whose format is remembered
SHAPE_ERRORS = (KeyError, TypeError, AttributeError, ArithmeticError, ValueError, RecursionError)
TEXT_FIELDS = frozenset(  # of formats; a number that is mapped to one is read as its text
    ("question", "answer", "prompt", "completion", "instruction", "input", "output", "chosen", "rejected", "text")
)
NO_FORMAT = {"unknown": "unknown_format", "ambiguous": "ambiguous_format"}  # in place of a format -> reason


class Metadata(NamedTuple):
    """What a record says of its rows besides their content: the fields that `FileRule.fields` maps in any format."""

    split: str = ""
    group: str = ""
    time: str = ""


def check_formats(rules: list[FileRule], where: str) -> None:
    """Refuses rules with an unknown format.

    Raises:
        UserError: names each.
    """
    problems = [
        f"{where}[{i}].format = {rule.format!r}: want one of {', '.join(formats.READERS)}, or null"
        for i, rule in enumerate(rules) if rule.format is not None and rule.format not in formats.READERS
    ]  # fmt: skip
    if problems:
        raise UserError("\n".join(problems))


class RecordReader:
    """Reads the records of one file.

    Args:
        rule: the entry of `ingest.files` for the file; None: formats are detected by the fields.
        documents: how documents become rows; None rejects them.
    """

    def __init__(self, rule: FileRule | None, documents: Documents | None) -> None:
        self._fields = rule.fields if rule else None
        self._format = rule.format if rule else None
        self._documents = documents
        self._format_of: dict[tuple[str, ...], str] = {}  # by the names of a record's fields
        self.format = ""  # of the last record: a name in formats.READERS, or one of NO_FORMAT

    def read(self, record: dict[str, Any]) -> tuple[list[bytes] | ratings.RatedAnswer, Metadata]:
        """(contents of a record encoded as JSON, or its rated answer; their metadata).

        Raises:
            RejectedRecord: the record has no content that can be trained on.
        """
        self.format, metadata = self._format or "unknown", Metadata()
        if self._fields is not None:
            record = map_fields(record, self._fields)
            metadata = parse_metadata({name: record.pop(name) for name in Metadata._fields if name in record})
        if self._format is None:
            self.format = self._detect(tuple(record))
        if self.format in NO_FORMAT:
            raise format_rejection(record.keys())
        try:
            content, encoded = validate(formats.READERS[self.format].read(record))
            if isinstance(content, ratings.RatedAnswer):
                _check_trainable(ratings.as_chat(content))
                return content, metadata
            if not isinstance(content, documents.Document):
                _check_trainable(content)
                return [encoded], metadata
            if self._documents is None:
                raise RejectedRecord("document", "ingest.documents is null: say there how documents become rows")
            contents = documents.contents(content, self._documents)
            for part in contents:
                _check_trainable(part)
            group = metadata.group or content.path or content_id(encoded)  # without a path: one group for each content
            return [msgspec.json.encode(part) for part in contents], metadata._replace(group=group)
        except SHAPE_ERRORS as error:
            raise RejectedRecord("wrong_shape", f"{self.format}: {type(error).__name__}: {error}") from None

    def _detect(self, fields: tuple[str, ...]) -> str:
        name = self._format_of.get(fields)
        if name is None:
            name = detect_format(set(fields))
            if len(self._format_of) < MAX_FIELD_SETS:
                self._format_of[fields] = name
        return name


def map_fields(record: dict[str, Any], fields: dict[str, str]) -> dict[str, Any]:
    """A record with the fields of a format, taken from its own by name or by path (`answer.text`).

    Raises:
        RejectedRecord: a field is missing.
    """
    result = {}
    for name, own in fields.items():
        value: Any = record
        for part in (own,) if own in record else own.split("."):
            if not isinstance(value, dict) or part not in value:
                raise RejectedRecord("no_field", f"no field {own!r} for {name}: found {sorted(record)}")
            value = value[part]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        result[name] = msgspec.json.encode(value).decode() if is_number and name in TEXT_FIELDS else value
    return result


def parse_metadata(fields: dict[str, Any]) -> Metadata:
    """Metadata from the values of its fields; null counts as missing.

    Raises:
        RejectedRecord: a split, a group or a time is invalid.
    """
    split, group, time = (fields.get(name) for name in Metadata._fields)
    split_name = "" if split is None else split_from_name(str(split))
    if split is not None and not split_name:
        raise RejectedRecord("wrong_split", f"split {split!r}: want train, val (validation, dev) or test")
    if group is not None and not isinstance(group, str | int):
        raise RejectedRecord("wrong_group", f"group {group!r}: want text or a whole number")
    try:
        timestamp = "" if time is None else utc_timestamp(time)
    except ValueError as error:
        raise RejectedRecord("wrong_time", f"time {error}") from None
    return Metadata(split_name, "" if group is None else str(group), timestamp)


def detect_format(fields: Set[str]) -> str:
    """The only format that matches the names of a record's fields, or one of NO_FORMAT."""
    names = _matching_formats(fields)
    return names[0] if len(names) == 1 else "ambiguous" if names else "unknown"


def format_rejection(fields: Set[str]) -> RejectedRecord:
    """The error for a record whose fields match no format, or several."""
    if names := _matching_formats(fields):
        detail = f"fields {sorted(fields)}: {' and '.join(names)} have these; name one in ingest.files"
        return RejectedRecord(NO_FORMAT["ambiguous"], detail)
    return RejectedRecord(NO_FORMAT["unknown"], f"fields {sorted(fields)}: no format has these")


def _matching_formats(fields: Set[str]) -> list[str]:
    return [name for name, reader in formats.READERS.items() if reader.matches(fields)]


def validate(content: Any) -> tuple[Any, bytes]:
    """(what a format made of a record, its JSON), if every field has its declared type.

    Raises:
        ValueError: a field has another type, or holds half a surrogate pair, which JSON can spell and UTF-8 cannot.
    """
    kind = type(content)
    encoded = msgspec.json.encode(content)
    try:
        return DECODERS[kind].decode(encoded), encoded
    except msgspec.ValidationError:
        # JSON has no infinity: encoded it is null. Converting the values themselves names the right type.
        return msgspec.convert(msgspec.to_builtins(content), kind), encoded


def _check_trainable(content: Content) -> None:
    if problem := content_problem(content):
        raise RejectedRecord(*problem)


DECODERS = {
    kind: msgspec.json.Decoder(kind)
    for kind in (Chat, Pair, Judged, Text, documents.Document, ratings.RatedAnswer)
}  # fmt: skip
