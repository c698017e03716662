"""One record to canonical contents: its format told or found, its fields mapped, its content checked."""

from collections.abc import Set
from typing import Any, NamedTuple

import msgspec

from modelmake.errors import UserError
from stages.params.data import Documents, Files
from stages.reading import documents, formats, ratings
from stages.reading.containers.split_names import named
from stages.rows.row import Chat, Content, Pair, Text, check_content, content_id
from stages.rows.timestamps import moment

KEPT = 1024  # sets of fields whose format is remembered
WRONG = (KeyError, TypeError, AttributeError, ArithmeticError, ValueError, RecursionError)
UNFIT = {"unknown": "unknown_format", "ambiguous": "ambiguous_format"}  # in place of a format's name: the reason


class Beside(NamedTuple):
    """What a record says of its rows beside their content: fields that no format has, as `Files.fields` maps them."""

    split: str = ""
    group: str = ""
    time: str = ""


class Unfit(Exception):
    """Why a record is no row: (reason, detail)."""


def check(told: list[Files], where: str) -> None:
    """Refuses formats that there are not.

    Raises:
        UserError: naming each.
    """
    wrong = [
        f"{where}[{i}].format = {t.format!r}: want one of {', '.join(formats.READERS)}, or null"
        for i, t in enumerate(told) if t.format is not None and t.format not in formats.READERS
    ]  # fmt: skip
    if wrong:
        raise UserError("\n".join(wrong))


class Reader:
    """Reads the records of one file."""

    def __init__(self, told: Files | None, params: Documents | None) -> None:
        self._fields = told.fields if told else None
        self._format = told.format if told else None
        self._documents = params
        self._known: dict[tuple[str, ...], str] = {}
        self.form = ""  # of the last record: a format, or one of UNFIT

    def read(self, record: dict[str, Any]) -> tuple[list[bytes] | ratings.Judged, Beside]:
        """The record's contents as JSON, each of which can teach something, or a judged answer; and what is beside.

        Raises:
            Unfit: it has none.
        """
        self.form, told = self._format or "unknown", Beside()
        if self._fields is not None:
            record = mapped(record, self._fields)
            told = beside({name: record.pop(name) for name in Beside._fields if name in record})
        if self._format is None:
            fields = tuple(record)
            found = self._known.get(fields)
            if found is None:
                found = detect(record.keys())
                if len(self._known) < KEPT:
                    self._known[fields] = found
            self.form = found
        if self.form in UNFIT:
            raise Unfit(*unfit(record.keys()))
        try:
            value, encoded = checked(formats.READERS[self.form].read(record))
            kind = type(value)
            if kind is ratings.Judged:
                _teaches(ratings.chat(value))
                return value, told
            if kind is not documents.Document:
                _teaches(value)
                return [encoded], told
            if self._documents is None:
                raise Unfit("document", "ingest.documents is null: say there how documents become rows")
            contents = documents.contents(value, self._documents)
            for content in contents:
                _teaches(content)
            group = told.group or value.path or content_id(encoded)  # one without a name is one document too
            return [msgspec.json.encode(content) for content in contents], told._replace(group=group)
        except ratings.Unused as unused:
            raise Unfit(*unused.args) from None
        except WRONG as error:
            raise Unfit("wrong_shape", f"{self.form}: {type(error).__name__}: {error}") from None


def mapped(record: dict[str, Any], fields: dict[str, str]) -> dict[str, Any]:
    """The record with the fields of a format, taken from its own.

    Raises:
        Unfit: it has not all of them.
    """
    result = {}
    for name, own in fields.items():
        value: Any = record
        for part in (own,) if own in record else own.split("."):
            if not isinstance(value, dict) or part not in value:
                raise Unfit("no_field", f"no field {own!r} for {name}: found {sorted(record)}")
            value = value[part]
        result[name] = value
    return result


def beside(found: dict[str, Any]) -> Beside:
    """What those fields say; null says nothing.

    Raises:
        Unfit: a split, a group or a time is none.
    """
    split, group, time = (found.get(name) for name in Beside._fields)
    place = "" if split is None else named(str(split))
    if split is not None and not place:
        raise Unfit("wrong_split", f"split {split!r}: want train, val (validation, dev) or test")
    if group is not None and not isinstance(group, str | int):
        raise Unfit("wrong_group", f"group {group!r}: want text or a whole number")
    try:
        return Beside(place, "" if group is None else str(group), "" if time is None else moment(time))
    except ValueError as error:
        raise Unfit("wrong_time", f"time {error}") from None


def detect(fields: Set[str]) -> str:
    """The format that these fields are of, or one of UNFIT."""
    found = _matching(fields)
    return found[0] if len(found) == 1 else "ambiguous" if found else "unknown"


def unfit(fields: Set[str]) -> tuple[str, str]:
    """(reason, detail) why a record with these fields is of no format."""
    if found := _matching(fields):
        detail = f"fields {sorted(fields)}: {' and '.join(found)} have these; name one in ingest.files"
        return UNFIT["ambiguous"], detail
    return UNFIT["unknown"], f"fields {sorted(fields)}: no format has these"


def _matching(fields: Set[str]) -> list[str]:
    return [name for name, reader in formats.READERS.items() if reader.matches(fields)]


def checked(content: Any) -> tuple[Any, bytes]:
    """What a format made of a record, if it is of the shape that it should be; and its JSON.

    Raises:
        ValueError: it is not, or it holds half a surrogate pair: JSON can spell that, UTF-8 cannot.
    """
    kind = type(content)
    encoded = msgspec.json.encode(content)
    try:
        return DECODERS[kind].decode(encoded), encoded
    except msgspec.ValidationError:
        return msgspec.convert(msgspec.to_builtins(content), kind), encoded  # tells infinity from null


def _teaches(content: Content) -> None:
    if problem := check_content(content):
        raise Unfit(*problem)


DECODERS = {
    kind: msgspec.json.Decoder(kind)
    for kind in (Chat, Pair, Text, documents.Document, ratings.Judged)
}  # fmt: skip
