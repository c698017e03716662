"""Raw files: which there are, and their records, whatever the container and compression.

A file that cannot be read at all is a `UserError`; a record that cannot be read is yielded as `Broken`.
"""

import fnmatch
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from modelmake.errors import UserError
from stages.params.data import FileRule
from stages.reading import hub
from stages.reading.containers import DOCUMENTS, READERS, stream
from stages.reading.containers.record import Broken, Record, Unreadable
from stages.reading.containers.split_names import split_from_name

PIN_SUFFIX = ".hub.json"  # of a file that pins a dataset of the hub; its data files are read in place of it
HUB_PATTERNS = [
    f"*{suffix}{compression}"
    for suffix in READERS
    if suffix not in DOCUMENTS
    for compression in ("", *stream.COMPRESSED_SUFFIXES)
]
SUFFIXES_TEXT = f"{', '.join(READERS)} (or one of them and {', '.join(stream.COMPRESSED_SUFFIXES)})"


class RawFile(NamedTuple):
    """A raw file, and the entry of `ingest.files` that applies to it."""

    path: Path
    name: str  # below the raw folder
    rule: FileRule | None


def list_files(raw: Path, rules: list[FileRule]) -> list[RawFile]:
    """The raw files below a folder (or the one file), sorted; only those that a rule matches, if there are rules.

    Hidden files and `.dvc` files (of `dvc import-url`) are skipped. Pins of the hub stand for the dataset's files.

    Raises:
        UserError: there are no files, some have a suffix without a reader, or a rule matches none; all are named.
    """
    paths = [raw] if raw.is_file() else sorted(p for p in raw.rglob("*") if p.is_file())
    paths = [p for p in paths if not p.name.startswith(".") and p.suffix != ".dvc"]
    if not paths:
        raise UserError(f"{raw}: no files: want rows as {SUFFIXES_TEXT}; put them there")
    names = {p: p.relative_to(raw).as_posix() if raw.is_dir() else p.name for p in paths}
    for pin in [p for p in paths if p.name.endswith(PIN_SUFFIX)]:
        folder, name = hub.fetch(pin, "dataset", HUB_PATTERNS), names.pop(pin)
        names |= {p: f"{name}/{p.relative_to(folder).as_posix()}" for p in sorted(folder.rglob("*")) if p.is_file()}
    files = [RawFile(path, name, matching_rule(name, rules)) for path, name in names.items()]
    problems = [
        f"ingest.files[{i}].glob = {rule.glob!r}: no file below {raw} matches, or earlier entries take them: want one "
        f"of {_first_names(names.values())}"
        for i, rule in enumerate(rules)
        if not any(file.rule is rule for file in files)
    ]
    files = [file for file in files if file.rule or not rules]
    problems += [
        f"{file.path}: suffix {file.path.suffix or '(none)'!s}: want one of {SUFFIXES_TEXT}; convert it, move it "
        "elsewhere, or name the files to read in ingest.files"
        for file in files
        if suffixes(file.path)[0] not in READERS
    ]
    if problems:
        raise UserError("\n".join(problems))
    return files


def matching_rule(name: str, rules: list[FileRule]) -> FileRule | None:
    """The first rule whose glob matches the name of a file."""
    return next((rule for rule in rules if fnmatch.fnmatchcase(name, rule.glob)), None)


def _first_names(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:5]) + (f" and {len(ordered) - 5} more" if len(ordered) > 5 else "")


def suffixes(path: Path) -> tuple[str, str]:
    """(suffix of the container, suffix of the compression or ""), in lower case."""
    last = path.suffix.lower()
    if last in stream.COMPRESSED_SUFFIXES:
        return Path(path.stem).suffix.lower(), last
    return last, ""


def read(path: Path, name: str) -> Iterator[Record | Broken]:
    """The records of a file, in order, with the split of the file's name where the file itself gives none.

    Args:
        name: path of the document, if the file is one.

    Raises:
        UserError: the file is damaged, is not UTF-8 text, or is a table without usable column names.
    """
    suffix, compression = suffixes(path)
    split = split_from_name(path.name[: len(path.name) - len(suffix) - len(compression)])
    try:
        with stream.open_decompressed(path) as file:
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
