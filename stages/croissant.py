"""The splits in the Croissant format (mlcommons.org/croissant), which search engines for data sets read."""

import hashlib
import logging
from pathlib import Path
from typing import Any

import msgspec

from modelmake.errors import UserError

FIELDS = {
    "chat": {"messages": "turns, the assistant's last"},
    "pair": {"prompt": "turns", "chosen": "the preferred answer", "rejected": "the other answer"},
    "text": {"text": "a text"},
}
LINES = "application/jsonlines"


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(
    files: dict[Path, str], folder: Path, name: str, description: str, license: str, languages: list[str]
) -> dict[str, Any]:
    """Files of rows and their kinds as Croissant, whose addresses are seen from the folder that it will be in.

    It has no date: the same rows give the same description.

    Raises:
        UserError: mlcroissant finds something wrong with it.
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
        columns = {"id": ("id", "hash of the content", None)}
        columns |= {field: ("content", told, field) for field, told in FIELDS[kind].items()}
        sets.append(
            mlc.RecordSet(
                id=record, name=record, description=f"Rows of {path.parent.name}: {path.stem}",
                fields=[_field(mlc, f"{record}/{field}", file, *how) for field, how in columns.items()],
            )
        )  # fmt: skip
    try:
        described = mlc.Metadata(
            name=name, description=description, license=[license], in_language=languages,
            distribution=objects, record_sets=sets,
        ).to_json()  # fmt: skip
        mlc.Metadata.from_json(mlc.Context(), described)
    except mlc.ValidationError as error:
        raise UserError(
            f"croissant.json: {' '.join(str(error).split())}: want card and datasheet.license mended"
        ) from None
    return described


def _field(mlc: Any, id: str, file: str, column: str, told: str, inner: str | None) -> Any:
    transforms = [mlc.Transform(json_path=inner)] if inner else []
    source = mlc.Source(file_object=file, extract=mlc.Extract(column=column), transforms=transforms)
    return mlc.Field(id=id, name=id, description=told, data_types=mlc.DataType.TEXT, source=source)


def _seen_from(folder: Path, path: Path) -> str:
    """A path without a root, from a folder without one."""
    return "/".join([*(".." for _ in folder.parts), *path.parts])


def write(path: Path, described: dict[str, Any]) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(described), indent=2) + b"\n")
