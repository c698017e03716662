"""Raw records to canonical contents: the format is given or detected, fields are mapped, contents are validated."""

import math
from collections.abc import Iterable, Iterator, Set
from typing import Any

import msgspec

from stages.params.data import Documents, FileRule
from stages.reading import (
    conversation,
    documents,
    field_names,
    formats,
    items,
    message_parsing,
    placeholders,
    ratings,
    unread,
)
from stages.reading.containers.record import Broken, Record
from stages.reading.conversations_in_texts import ConversationsInTexts
from stages.reading.field_mapping import Metadata, map_fields, parse_metadata, taken
from stages.reading.media_marks import marks
from stages.reading.rejection import RejectedRecord
from stages.reading.text_values import messages_in_text
from stages.rows.parts import content_problem, split
from stages.rows.row import Chat, Content, Judged, Pair, Text, content_id

MAX_FIELD_SETS = 1024  # whose format is remembered
SHAPE_ERRORS = (KeyError, TypeError, AttributeError, ArithmeticError, ValueError, RecursionError)
NO_FORMAT = {"unknown": "unknown_format", "ambiguous": "ambiguous_format"}  # in place of a format -> reason
LIST_STARTS = ("[", " ", "\n", "\t", "\r")  # of a text that may hold a list of messages
TURNS = {  # format -> its fields of messages
    name: [field for field, tree in module.FIELDS.items() if tree is message_parsing.turn_fields]
    for name, module in formats.READERS.items()
}


class RecordReader:
    """Reads the records of one file.

    Args:
        rule: the entry of `ingest.files` for the file; None: formats are detected by the fields.
        documents: how documents become rows; None rejects them.
    """

    def __init__(self, rule: FileRule | None, documents: Documents | None) -> None:
        own = taken(rule.fields) if rule and rule.fields is not None else None
        self._of_items = items.lists(own.values()) if own else []  # whose items are records
        self._shared = [  # fields that the questions of one record are about
            name for name, path in (own or {}).items()
            if name in conversation.ABOUT and items.is_shared(path, self._of_items)
        ]  # fmt: skip
        self._fields = own if own is None else {name: items.of_first(path) for name, path in own.items()}
        self._format = rule.format if rule else None
        self._declares_label = self._format == "kto" or self._fields is not None
        ignore = rule.ignore if rule else []
        self._ignore = unread.Paths(unread.paths(ignore, set()) | dict.fromkeys(ignore, unread.WHOLE))
        self._documents = documents
        self._format_of: dict[tuple[str, ...], str] = {}  # by the names of a record's fields
        self.format = ""  # of the last record: a name in formats.READERS, or one of NO_FORMAT
        self.unread = unread.Unread()  # what nothing reads of the records that became contents
        self.conversations = ConversationsInTexts()  # in their texts

    def each_item(self, records: Iterable[Record | Broken]) -> Iterator[Record | Broken]:
        """The records, or those that `*` in a mapped path makes of them."""
        for record in records:
            if not self._of_items or isinstance(record, Broken):
                yield record
            else:
                yield from (record._replace(value=one, text="") for one in items.each(record.value, self._of_items))

    def read(self, record: dict[str, Any]) -> tuple[list[bytes] | Judged, Metadata]:
        """(contents of a record encoded as JSON, or its judged answer; their metadata).

        Raises:
            RejectedRecord: the record has no content that can be trained on.
        """
        self.format, metadata = self._format or "unknown", Metadata()
        if self._ignore:
            record = unread.without(record, self._ignore)
        own = record
        if self._fields is not None:
            record = map_fields(record, self._fields, self._format)
            metadata = parse_metadata({name: record.pop(name) for name in Metadata._fields if name in record})
            about = {name: record[name] for name in self._shared if not unread.empty(record[name])}
            if about and not metadata.group:
                metadata = metadata._replace(group=content_id(msgspec.json.encode(about)))
        if self._format is None:
            self.format = self._detect(tuple(record))
        if self.format in NO_FORMAT:
            raise format_rejection(record.keys())
        try:
            lists = self._lists(record)
            texts, record = record, {**record, **lists} if lists else record
            content, encoded, found = self._content(record)
            found |= self._unread(own, record) | marks(content, self._ignore)
            contents, metadata = self._contents(content, encoded, metadata)
            if found:
                self.unread.add(found, own, encoded)
            for name in lists:
                self.conversations.add_list(self._fields[name] if self._fields else name, texts[name])
            if type(content) is Text:
                self.conversations.add_text(content.text)
            return contents, metadata
        except SHAPE_ERRORS as error:
            if place := self._null(record, str(error)):
                raise RejectedRecord("empty_value", f"{place} is null: want a text") from None
            raise RejectedRecord("wrong_shape", f"{self.format}: {type(error).__name__}: {error}") from None

    def _content(self, record: dict[str, Any]) -> tuple[Any, bytes, dict[str, Any]]:
        """(content, its JSON, {"label": value} if that may be a judgement, or a class: it is not read then)."""
        label = record.get(ratings.LABEL)
        reader = formats.READERS[self.format]
        if unread.empty(label) or self._declares_label or "rating" not in reader.FIELDS:
            return *validate(reader.read(record)), {}
        if not ratings.is_class(label):
            content, encoded = validate(reader.read(record))
            if not ratings.is_answer(label, split(content).answer):
                return content, encoded, {}
        plain = {name: value for name, value in record.items() if name != ratings.LABEL}
        if self._format is None:
            self.format = self._detect(tuple(plain))
        try:
            content, encoded = validate(formats.READERS[self.format].read(plain))
        except RejectedRecord:  # a log without any other judgement
            self.unread.add({ratings.LABEL: label})
            raise
        return content, encoded, {} if ratings.is_answer(label, split(content).answer) else {ratings.LABEL: label}

    def _contents(self, content: Any, encoded: bytes, metadata: Metadata) -> tuple[list[bytes] | Judged, Metadata]:
        if not isinstance(content, documents.Document):
            _check_trainable(content)
            return content if isinstance(content, Judged) else [encoded], metadata
        if self._documents is None:
            raise RejectedRecord("document", "ingest.documents is null: say there how documents become rows")
        contents = documents.contents(content, self._documents)
        for part in contents:
            _check_trainable(part)
        group = metadata.group or content.path or content_id(encoded)  # without a path: one group for each content
        return [msgspec.json.encode(part) for part in contents], metadata._replace(group=group)

    def _null(self, record: dict[str, Any], error: str) -> str:
        """The places of the null that an error is about; "" if it is about another value."""
        if not error.startswith("null: ") and "got `null`" not in error:
            return ""
        matches = formats.READERS[self.format].matches
        names = [name for name, value in record.items() if value is None and not matches(record.keys() - {name})]
        return " and ".join((self._fields or {}).get(name, name) for name in names) or error.rpartition("$.")[2].rstrip(
            "`"
        )

    def _lists(self, record: dict[str, Any]) -> dict[str, Any]:
        """The lists of messages that texts of a record are, by field."""
        lists = {
            name: messages_in_text(text, message_parsing.ROLES)
            for name in TURNS[self.format]
            if type(text := record.get(name)) is str and text[:1] in LIST_STARTS
        }
        return {name: value for name, value in lists.items() if type(value) is list}

    def _unread(self, own: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
        """{path: value} of what is in a record, and neither in its mapped fields nor read of them."""
        found: dict[str, Any] = {}
        tree = formats.READERS[self.format].FIELDS
        off = message_parsing.switches(record)
        if self._fields is None:
            unread.leaves(record, tree, "", found)
            return found | off
        unread.leaves(own, unread.paths(list(self._fields.values()), set(own)), "", found)
        for name, value in record.items():
            if name not in tree or type(value) in (dict, list):
                unread.leaves(value, tree.get(name), self._fields[name], found)
        return found | {self._fields[name]: value for name, value in off.items()}

    def _detect(self, fields: tuple[str, ...]) -> str:
        name = self._format_of.get(fields)
        if name is None:
            name = detect_format(set(fields))
            if len(self._format_of) < MAX_FIELD_SETS:
                self._format_of[fields] = name
        return name


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
    """The formats that match the names of fields; if none does, without those that are known to carry no meaning."""
    names = [name for name, reader in formats.READERS.items() if reader.matches(fields)]
    with_meaning = {field for field in fields if field_names.has_meaning(field)}
    return names if names or with_meaning == fields else _matching_formats(with_meaning)


def validate(content: Any) -> tuple[Any, bytes]:
    """(what a format made of a record, its JSON), if every field has its declared type.

    Raises:
        ValueError: a field has another type, holds half a surrogate pair, which JSON can spell and UTF-8 cannot, or a
            number that JSON cannot hold.
    """
    kind = type(content)
    encoded = msgspec.json.encode(content)
    try:
        decoded = DECODERS[kind].decode(encoded)
        if b"null" in encoded and not _is_finite(msgspec.to_builtins(content)):
            raise ValueError("a number that is infinite or none, in arguments or a tool: want what JSON can hold")
        return decoded, encoded
    except msgspec.ValidationError:
        # JSON has no infinity: encoded it is null. Converting the values themselves names the right type.
        return msgspec.convert(msgspec.to_builtins(content), kind), encoded


def _is_finite(value: Any) -> bool:
    """True if JSON can hold every number in a value: encoded, the others are null."""
    if isinstance(value, dict | list):
        return all(map(_is_finite, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, float) or math.isfinite(value)


def _check_trainable(content: Content) -> None:
    if problem := content_problem(content) or placeholders.problem(content):
        raise RejectedRecord(*problem)
    if type(content) is Chat and content.messages[-1].train:
        return  # most contents
    parts = split(content)
    if not all(turn.train for turn in (*parts.answer, *parts.rejected)) and not (
        isinstance(content, Chat) and any(turn.train for turn in parts.prompt if turn.role == "assistant")
    ):
        raise RejectedRecord("untrained", "its mask says that no answer is trained on")


DECODERS = {
    kind: msgspec.json.Decoder(kind)
    for kind in (Chat, Pair, Judged, Text, documents.Document)
}  # fmt: skip
