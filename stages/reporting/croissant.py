"""The splits in the Croissant format (mlcommons.org/croissant), which search engines for data sets read."""

import hashlib
import logging
from pathlib import Path
from typing import Any

import msgspec

FIELDS = {  # kind -> {field: (what it is, the way to it in a row's content)}; of turns there are several
    "chat": {
        "roles": ("who speaks, each turn", "messages", "role"),
        "turns": ("what is said, each turn; the last answers", "messages", "content"),
    },
    "pair": {
        "prompt": ("what is said, each turn", "prompt", "content"),
        "chosen": ("the preferred answer", "chosen", "content"),
        "rejected": ("the other answer", "rejected", "content"),
    },
    "text": {"text": ("the text", "text")},
}
LINES = "application/jsonlines"


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(
    files: dict[Path, str], folder: Path, name: str, description: str, license: str, languages: list[str]
) -> dict[str, Any]:
    """Files of rows and their kinds as Croissant, whose addresses are seen from the folder that it will be in.

    mlcroissant checks it as it is made. It has no date: the same rows give the same description.
    """
    import mlcroissant as mlc  # half a second

    logging.getLogger("absl").setLevel(logging.ERROR)  # it misses a date and a citation
    objects, sets = [], []
    for path, kind in files.items():
        file = f"{path.parent.name}/{path.name}"
        objects.append(
            mlc.FileObject(
                id=file, name=file, content_url=_seen_from(folder, path), encoding_formats=[LINES], sha256=digest(path)
            )
        )
        record = f"{path.parent.name}_{path.stem}"
        fields = [_field(mlc, f"{record}/id", file, "id", "hash of the content")]
        fields += [_field(mlc, f"{record}/{name}", file, "content", *how) for name, how in FIELDS[kind].items()]
        sets.append(
            mlc.RecordSet(
                id=record, name=record, description=f"Rows of {path.parent.name}: {path.stem}", fields=fields,
            )
        )  # fmt: skip
    described = mlc.Metadata(
        name=name, description=description, license=[license], in_language=languages,
        distribution=objects, record_sets=sets,
    ).to_json()  # fmt: skip
    mlc.Metadata.from_json(mlc.Context(), described)
    return described


def _field(mlc: Any, id: str, file: str, column: str, told: str, *way: str) -> Any:
    source = mlc.Source(
        file_object=file, extract=mlc.Extract(column=column), transforms=[mlc.Transform(json_path=name) for name in way]
    )
    return mlc.Field(
        id=id, name=id, description=told, data_types=mlc.DataType.TEXT, source=source, repeated=len(way) > 1
    )  # fmt: skip


def _seen_from(folder: Path, path: Path) -> str:
    """A path without a root, from a folder without one."""
    return "/".join([*(".." for _ in folder.parts), *path.parts])


def write(path: Path, described: dict[str, Any]) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(described), indent=2) + b"\n")
