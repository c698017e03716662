"""Where each tensor of a model folder is, by the headers of its safetensors files; no weights are read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ONE, INDEX = "model.safetensors", "model.safetensors.index.json"


class TensorSource(NamedTuple):
    """Position of one tensor in a safetensors file."""

    path: Path
    dtype: str
    shape: tuple[int, ...]
    offset: int  # bytes from the start of the file


def has_weights(model: Path) -> bool:
    """Whether the folder has safetensors files, or an index of them."""
    return (model / ONE).is_file() or (model / INDEX).is_file()


def read(model: Path) -> Iterator[tuple[str, TensorSource]]:
    """(name, source) of every tensor in the folder's safetensors files."""
    index = model / INDEX
    files = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values())) if index.exists() else [ONE]
    for path in (model / file for file in files):
        with path.open("rb") as stream:
            header_bytes = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(header_bytes))
        header.pop("__metadata__", None)
        for name, tensor in header.items():
            offset = 8 + header_bytes + tensor["data_offsets"][0]
            yield name, TensorSource(path, tensor["dtype"], tuple(tensor["shape"]), offset)
