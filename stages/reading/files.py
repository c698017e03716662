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
from stages.reading.containers import DOCUMENTS, READERS, split_names, stream
from stages.reading.containers.record import Broken, Record, Tell, Unreadable
from stages.reading.containers.split_names import Named

PIN_SUFFIX = ".hub.json"  # of a file that pins a dataset of the hub; its data files are read in place of it
HUB_PATTERNS = [
    f"*{suffix}{compression}"
    for suffix in READERS
    if suffix not in DOCUMENTS
    for compression in ("", *stream.COMPRESSED_SUFFIXES)
]
TERMS = ("licen[cs]e*", "copying*", "copyright*", "notice", "notice.*")  # names in lower case
ABOUT_DATA = (
    "readme*", "citation*", "changelog*", "contributing*", "authors", "authors.*", "thumbs.db", "desktop.ini",
    "_success", "sha256sums*", "md5sums*", "*.sha256", "*.md5",
)  # fmt: skip
ABOUT_DATA_JSON = (  # of files of records only these
    "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "croissant.json",
)  # fmt: skip
CONVERSIONS = {  # by suffixes that have no reader
    **dict.fromkeys((".xlsx", ".xls", ".ods"), " (a spreadsheet saves CSV in UTF-8)"),
    **dict.fromkeys((".docx", ".doc", ".odt", ".rtf"), " (a word processor saves PDF or HTML)"),
    **dict.fromkeys((".zip", ".tar", ".tgz", ".7z"), " (unpack it)"),
    **dict.fromkeys((".feather", ".pkl"), " (pandas reads it, and writes `to_parquet`)"),
    ".arrow": " (datasets reads its folder with `load_from_disk`, and writes `to_parquet`)",
}
OF_DOCUMENTS = ("train", "val", "validation", "dev", "test")  # words of splits in names of documents
SUFFIXES_TEXT = f"{', '.join(READERS)} (or one of them and {', '.join(stream.COMPRESSED_SUFFIXES)})"


class RawFile(NamedTuple):
    """A raw file, and the entry of `ingest.files` that applies to it."""

    path: Path
    name: str  # below the raw folder
    rule: FileRule | None

    def problem(self) -> str:
        """Why no reader takes it; "" if one does."""
        if suffixes(self.path)[0] in READERS:
            return ""
        how = CONVERSIONS.get(self.path.suffix.lower(), "")
        return (
            f"{self.path}: suffix {self.path.suffix or '(none)'}: want one of {SUFFIXES_TEXT}; convert it{how}, move "
            "it elsewhere, or name the files to read in ingest.files"
        )


class Listing(NamedTuple):
    files: list[RawFile]
    left_out: dict[str, str]  # {name: why}

    def told(self) -> list[str]:
        """The files that are left out, by the reasons for it."""
        names: dict[str, list[str]] = {}
        for name, why in self.left_out.items():
            names.setdefault(why, []).append(name)
        return [f"{_first_names(found)} ({why})" for why, found in names.items()]


def list_files(raw: Path, rules: list[FileRule], documents: bool = False) -> Listing:
    """The raw files below a folder (or the one file), sorted, if each can be read.

    Raises:
        UserError: there are no files, some have a suffix without a reader, or a rule matches none; all are named.
    """
    files, left_out = listing = find(raw, raw if raw.is_dir() else raw.parent, rules, documents)
    if not files and not left_out:
        raise UserError(f"{raw}: no files: want rows as {SUFFIXES_TEXT}; put them there")
    names = [*(file.name for file in files), *left_out]
    problems = [
        f"ingest.files[{i}].glob = {rule.glob!r}: no file below {raw} matches, or earlier entries take them: want one "
        f"of {_first_names(names)}"
        for i, rule in enumerate(rules)
        if not any(file.rule is rule for file in files)
    ]
    problems += [problem for file in files if (problem := file.problem())]
    if not files and not problems:
        told = ", ".join(listing.told())
        problems.append(f"{raw}: no files of data: found {told}: want rows as {SUFFIXES_TEXT}; put them there")
    if problems:
        raise UserError("\n".join(problems))
    return listing


def find(path: Path, root: Path, rules: list[FileRule], documents: bool = False) -> Listing:
    """The files below a folder, or the one file; only those that a rule matches, if there are rules.

    Hidden files and `.dvc` files (of `dvc import-url`) are skipped. Pins of the hub stand for the dataset's files.
    Texts about the data, such as a licence, are left out unless a rule names them, or the path is one.

    Args:
        root: folder that names start at.
        documents: Markdown files and pages are rows, a README too.

    Raises:
        UserError: a pin cannot be fetched.
    """
    paths = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    names = {p: p.relative_to(root).as_posix() for p in paths if p == path or not skipped(p.relative_to(path))}
    for pin in [p for p in names if p.name.endswith(PIN_SUFFIX)]:
        folder, name = hub.fetch(pin, "dataset", HUB_PATTERNS), names.pop(pin)
        names |= {p: f"{name}/{p.relative_to(folder).as_posix()}" for p in sorted(folder.rglob("*")) if p.is_file()}
    listing = Listing([], {})
    for file, name in names.items():
        rule = matching_rule(name, rules)
        if rules and rule is None:
            listing.left_out[name] = "no entry of ingest.files fits its name"
        elif file != path and is_about_data(file, documents) and not (rule and is_about_data(Path(rule.glob))):
            listing.left_out[name] = "about the data, by name"
        else:
            listing.files.append(RawFile(file, name, rule))
    return listing


def is_about_data(path: Path, documents: bool = False) -> bool:
    """Whether a file is by its name no data, but says something about it, or about its folder."""
    name, suffix = path.name.lower(), suffixes(path)[0]
    if suffix in READERS and suffix not in (".txt", *DOCUMENTS):
        return name in ABOUT_DATA_JSON
    patterns = TERMS if documents and suffix in DOCUMENTS else (*TERMS, *ABOUT_DATA)
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def skipped(path: Path) -> bool:
    """True for a path below the raw folder that is hidden, or that DVC or an archiver wrote."""
    return path.suffix == ".dvc" or any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


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


def split_of_name(name: str) -> Named:
    """The split that a file's name below the raw folder gives its records: that of the file itself goes first.

    A pin names a dataset, no split: the names of the files in it tell.
    Names of documents are titles, as are those of their folders: `docs/testing/` is about tests. There only the names
    themselves count, or their ends, as in `my_test.md`.
    """
    path = Path(name)
    own = path.name[: len(path.name) - sum(map(len, suffixes(path)))]
    for part in (own, *(folder for folder in reversed(path.parts[:-1]) if not folder.endswith(PIN_SUFFIX))):
        found = split_names.named(part)
        if found.split and (suffixes(path)[0] not in DOCUMENTS or part.lower().rpartition("_")[2] in OF_DOCUMENTS):
            return found
    return Named("", "")


def split_note(name: str) -> list[str]:
    """What makes the records of a file held out, if its name is more than that of a split."""
    found = split_of_name(name)
    if found.split in ("", "train") or Path(name).name.lower().partition(".")[0] in split_names.SPLITS:
        return []
    return [f"all of it is {found.split}, by {found.word!r} in its name"]


def read(path: Path, name: str, tell: Tell = lambda note: None) -> Iterator[Record | Broken]:
    """The records of a file, in order, with the split of the file's name where the file itself gives none.

    Args:
        name: of the file, below the raw folder: it may give a split, and is the path of a document.
        tell: takes what is decided about the file as a whole.

    Raises:
        UserError: the file is damaged, is not UTF-8 text, or is a table without usable column names.
    """
    suffix, split = suffixes(path)[0], split_of_name(name).split
    try:
        with stream.open_decompressed(path) as file:
            for record in READERS[suffix](file, tell):
                if suffix in DOCUMENTS and isinstance(record, Record):
                    record = record._replace(value={**record.value, "path": name})
                if split and not (isinstance(record, Broken) or record.split):
                    record = record._replace(split=split)
                yield record
    except Unreadable as error:
        raise UserError(f"{path}:{error}") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}: want a file that can be read") from None
