"""The golden set: chats that are never trained on, in a file that git keeps and params.yaml pins by its hash."""

import hashlib
from pathlib import Path

import msgspec

from modelmake.errors import UserError
from stages.reading import files, ratings
from stages.reading import record as reading
from stages.rows.row import Chat, Content, Row, make_row


def check(path: Path, sha256: str) -> None:
    """Refuses a golden set that is not the one that is pinned.

    Raises:
        UserError: there is no such file, or it is another.
    """
    if not path.is_file():
        raise UserError(
            f"{path}: no such file: want the golden set of split.golden, or a file with a blank line for none"
        )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise UserError(
            f"{path}: SHA-256 {found}: want {sha256}, as split.golden pins it: `git checkout {path}`, or write the "
            "new hash there if the set is meant to change"
        )


def read(path: Path, sha256: str) -> dict[str, Row]:
    """The golden chats by id, in test.

    Raises:
        UserError: the set is not the one that is pinned, or a record is no chat that can teach something.
    """
    check(path, sha256)
    found, reader = {}, reading.Reader(None, None)
    for record in files.read(path, path.name):
        where = f"{path}:{record.line}"
        if isinstance(record, files.Broken):
            raise UserError(f"{where}: {record.reason}: {record.why}: want a golden set without one; mend it")
        try:
            contents, _ = reader.read(record.value)
        except reading.Unfit as error:
            raise UserError(f"{where}: {': '.join(error.args)}: want a chat; mend it, or take it out") from None
        content = None if isinstance(contents, ratings.Judged) else msgspec.json.decode(contents[0], type=Content)
        if not isinstance(content, Chat):
            raise UserError(f"{where}: {reader.form}: want a chat; take it out")
        row = make_row(content, "test")
        found[row.id] = row
    return found
