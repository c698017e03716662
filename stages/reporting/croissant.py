"""Description of the splits in the Croissant format (mlcommons.org/croissant), read by search engines for data sets."""

import hashlib
import logging
from pathlib import Path
from typing import Any

TOOLS = {"tools": ("the names of the tools that may be called", "tools", "function.name")}
FIELDS = {  # kind -> {field: (description, *JSON path in a row's content)}; a path of two steps has several values
    "chat": {
        "roles": ("who speaks, each turn", "messages", "role"),
        "turns": ("what is said, each turn; the last answers", "messages", "content"),
        "reasoning": ("what is thought before it is said, each turn", "messages", "reasoning_content"),
        "calls": ("the first tool that is called, each turn", "messages", "tool_calls[0].function.name"),
        **TOOLS,
    },
    "pair": {
        "prompt": ("what is said, each turn", "prompt", "content"),
        "chosen": ("the preferred answer", "chosen", "content"),
        "rejected": ("the other answer", "rejected", "content"),
        **TOOLS,
    },
    "judged": {
        "prompt": ("what is said, each turn", "prompt", "content"),
        "answer": ("the answer", "answer", "content"),
        "good": ("whether the answer was found good", "good"),
        **TOOLS,
    },
    "text": {"text": ("the text", "text")},
}
BOOLEANS = (("good",),)  # JSON paths of values that are no texts
JSONL = "application/jsonlines"


def describe(
    files: dict[Path, str], folder: Path, name: str, description: str, license: str | None, languages: list[str] | None
) -> dict[str, Any]:
    """The Croissant description of files of rows, validated by mlcroissant.

    It has no date, so that the same rows have the same description.

    Args:
        files: {path: kind of its rows}, paths relative to the project.
        folder: where the description will be; addresses of files are relative to it.
        license: SPDX identifier or address; without one the description has none, which Croissant allows.
        languages: ISO 639-1.
    """
    import mlcroissant as mlc  # takes half a second

    logging.getLogger("absl").setLevel(logging.ERROR)  # it warns that date and citation are missing
    objects, record_sets = [], []
    for path, kind in files.items():
        file = f"{path.parent.name}/{path.name}"
        objects.append(
            mlc.FileObject(
                id=file, name=file, content_url=_relative(path, folder), encoding_formats=[JSONL], sha256=_sha256(path)
            )
        )
        record = f"{path.parent.name}_{path.stem}"
        fields = [_field(mlc, f"{record}/id", file, "id", "hash of the content")]
        fields += [_field(mlc, f"{record}/{name}", file, "content", *spec) for name, spec in FIELDS[kind].items()]
        record_sets.append(
            mlc.RecordSet(
                id=record, name=record, description=f"Rows of {path.parent.name}: {path.stem}", fields=fields,
            )
        )  # fmt: skip
    metadata = mlc.Metadata(
        name=name, description=description, license=[license] if license else None, in_language=languages,
        distribution=objects, record_sets=record_sets,
    ).to_json()  # fmt: skip
    mlc.Metadata.from_json(mlc.Context(), metadata)  # raises if it is not valid
    return metadata


def _field(mlc: Any, id: str, file: str, column: str, description: str, *json_path: str) -> Any:
    transforms = [mlc.Transform(json_path=step) for step in json_path]
    source = mlc.Source(file_object=file, extract=mlc.Extract(column=column), transforms=transforms)
    return mlc.Field(
        id=id, name=id, description=description, source=source,
        data_types=mlc.DataType.BOOL if json_path in BOOLEANS else mlc.DataType.TEXT, repeated=len(json_path) > 1,
    )  # fmt: skip


def _relative(path: Path, folder: Path) -> str:
    """The path as seen from the folder; both are relative to the project."""
    return "/".join([*(".." for _ in folder.parts), *path.parts])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
