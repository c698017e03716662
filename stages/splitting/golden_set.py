"""The golden set: chats that are never trained on, in a file that git keeps and params.yaml pins by its SHA-256."""

import hashlib
from pathlib import Path

import msgspec

from modelmake.errors import UserError
from stages.reading import files
from stages.reading.containers.record import Broken
from stages.reading.record_reader import RecordReader
from stages.reading.rejection import RejectedRecord
from stages.rows.row import Chat, Content, Judged, Row, make_row


def check(path: Path, sha256: str) -> None:
    """Checks that a file is the pinned golden set.

    Raises:
        UserError: the file is missing, or its hash differs.
    """
    if not path.is_file():
        raise UserError(
            f"{path}: no such file: want the golden set of split.golden, or a file with a blank line for none"
        )
    actual = hashlib.sha256(path.read_bytes()).hexdigest()
    if actual != sha256:
        raise UserError(
            f"{path}: SHA-256 {actual}: want {sha256}, as split.golden pins it: `git checkout {path}`, or write the "
            "new hash there if the set is meant to change"
        )


def read(path: Path, sha256: str) -> list[Row]:
    """The golden chats as rows of the test split, in the order of the file. Equal chats have one id.

    Raises:
        UserError: the file is not the pinned one, or a record is no chat that could be trained on.
    """
    check(path, sha256)
    return chats(path)


def chats(path: Path) -> list[Row]:
    """The chats of a file of any format as rows of the test split, in the order of the file. Equal chats have one id.

    Raises:
        UserError: a record is no chat that could be trained on.
    """
    rows, reader = [], RecordReader(None, None)
    for record in files.read(path, path.name):
        where = f"{path}:{record.line}"
        if isinstance(record, Broken):
            raise UserError(
                f"{where}: {record.reason}: {record.detail}: want a record that can be read; mend or remove it"
            )
        try:
            contents, _ = reader.read(record.value)
        except RejectedRecord as error:
            raise UserError(f"{where}: {error.reason}: {error.detail}: want a chat; mend it, or take it out") from None
        content = None if isinstance(contents, Judged) else msgspec.json.decode(contents[0], type=Content)
        if not isinstance(content, Chat):
            raise UserError(f"{where}: {reader.format}: want a chat; take it out")
        rows.append(make_row(content, "test"))
    if problems := [
        f"{path}: field {name}: it may be {what}, and nothing reads it: take it out, or give it as a format has it"
        for name, what in reader.unread.stops.items()
    ]:
        raise UserError("\n".join(problems))
    return rows
