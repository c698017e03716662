"""Raw files to records, whatever holds them: JSON, JSON Lines, tables, texts, pages; plain or compressed.

A file that cannot be read at all is the user's to mend (`UserError`); a record that cannot is a `Broken`.
"""

import fnmatch
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from modelmake.errors import UserError
from stages.params.data import Files
from stages.reading import hub
from stages.reading.containers import DOCUMENTS, READERS, stream
from stages.reading.containers.record import Broken, Record, Unreadable
from stages.reading.containers.split_names import named

PIN = ".hub.json"  # a file that stands for the data files of a dataset of the hub
PINNED = [f"*{suffix}{c}" for suffix in READERS if suffix not in DOCUMENTS for c in ("", *stream.COMPRESSED)]
KNOWN = f"{', '.join(READERS)} (or one of them and {', '.join(stream.COMPRESSED)})"


class Raw(NamedTuple):
    """A raw file, and how params.yaml says to read it."""

    path: Path
    name: str  # below the raw folder
    told: Files | None


def files(raw: Path, told: list[Files]) -> list[Raw]:
    """The raw files below a folder (or the one file), sorted; where `told` names some, only those.

    Raises:
        UserError: there are none, or some have a suffix that no reader knows, or a glob finds nothing; each is named.
    """
    found = [raw] if raw.is_file() else sorted(p for p in raw.rglob("*") if p.is_file())
    found = [p for p in found if not p.name.startswith(".") and p.suffix != ".dvc"]  # `dvc import-url` leaves those
    if not found:
        raise UserError(f"{raw}: no files: want rows as {KNOWN}; put them there")
    names = {p: p.relative_to(raw).as_posix() if raw.is_dir() else p.name for p in found}
    for pin in [p for p in found if p.name.endswith(PIN)]:
        folder, name = hub.fetch(pin, "dataset", PINNED), names.pop(pin)
        names |= {p: f"{name}/{p.relative_to(folder).as_posix()}" for p in sorted(folder.rglob("*")) if p.is_file()}
    chosen = [Raw(p, name, next((t for t in told if fnmatch.fnmatchcase(name, t.glob)), None))
              for p, name in names.items()]  # fmt: skip
    problems = [f"ingest.files[{i}].glob = {t.glob!r}: fits no file that is left below {raw}: want one of "
                f"{_some(names.values())}"
                for i, t in enumerate(told) if not any(file.told is t for file in chosen)]  # fmt: skip
    chosen = [file for file in chosen if file.told or not told]
    problems += [
        f"{file.path}: suffix {file.path.suffix or '(none)'!s}: want one of {KNOWN}; convert it, move it elsewhere, "
        "or name the files to read in ingest.files"
        for file in chosen
        if suffixes(file.path)[0] not in READERS
    ]
    if problems:
        raise UserError("\n".join(problems))
    return chosen


def _some(names: object) -> str:
    first = sorted(names)
    return ", ".join(first[:5]) + (f" and {len(first) - 5} more" if len(first) > 5 else "")


def suffixes(path: Path) -> tuple[str, str]:
    """(suffix of what the file holds, suffix of its compression or ""), in lower case."""
    last = path.suffix.lower()
    if last in stream.COMPRESSED:
        return Path(path.stem).suffix.lower(), last
    return last, ""


def read(path: Path, name: str) -> Iterator[Record | Broken]:
    """The records of a file, in order; those of train.csv are in train where the file says nothing else.

    A file that is a document has `name` for its path.

    Raises:
        UserError: the file is damaged, is no UTF-8 text, or a table without usable column names.
    """
    suffix, compression = suffixes(path)
    split = named(path.name[: len(path.name) - len(suffix) - len(compression)])
    try:
        with stream.opened(path) as file:
            for record in READERS[suffix](file):
                if suffix in DOCUMENTS and isinstance(record, Record):
                    record = record._replace(value={**record.value, "path": name})
                if split and not (isinstance(record, Broken) or record.split):
                    record = record._replace(split=split)
                yield record
    except Unreadable as error:
        raise UserError(f"{path}:{error}") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}: want a file that can be read") from None
