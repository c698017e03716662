"""Normalised texts as UTF-8 in one array of bytes, the form that the compiled loops of this folder read.

Text i is data[bounds[i, 0] : bounds[i, 1]], normalised as `stages.similarity.shingles.plain` does it. Half a surrogate
pair, which UTF-8 cannot encode, takes three bytes as its neighbours would (`surrogatepass`).
"""

import tempfile
from collections.abc import Iterator, Sequence
from threading import Lock

import numba
import numpy as np

from stages.similarity.shingles import plain

Bytes = np.ndarray  # (bytes,) uint8
Bounds = np.ndarray  # (texts, 2) int64
BATCH = 4096  # texts that are packed at once


def pack(texts: Sequence[str]) -> tuple[Bytes, Bounds]:
    """The texts, normalised, one after another."""
    encoded = [t.encode() if t.isascii() else plain(t).encode("utf-8", "surrogatepass") for t in texts]
    ends = np.cumsum([len(e) for e in encoded], dtype=np.int64)
    bounds = np.stack([np.r_[0, ends[:-1]], ends], axis=1) if encoded else np.empty((0, 2), np.int64)
    data = np.frombuffer(bytearray().join(encoded), np.uint8)
    _normalise_ascii(data, bounds, np.array([text.isascii() for text in texts], bool))
    return data, bounds


@numba.njit(cache=True, nogil=True)
def _normalise_ascii(data, bounds, is_ascii):
    """`plain` in place, of the texts in ASCII: lower case, runs of white space as one space, none at the ends."""
    for text in range(len(bounds)):
        if not is_ascii[text]:
            continue
        end, space = bounds[text, 0], False
        for at in range(bounds[text, 0], bounds[text, 1]):
            c = data[at]
            if c == 32 or 9 <= c <= 13 or 28 <= c <= 31:
                space = end > bounds[text, 0]
                continue
            if space:
                data[end] = 32
                end, space = end + 1, False
            data[end] = c + 32 if 65 <= c <= 90 else c
            end += 1
        bounds[text, 1] = end


class PackedTexts:
    """Texts packed into a temporary file of the working directory, each read once, when it is first needed."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts, self.size, self.lock = texts, 0, Lock()
        self.bounds = np.full((len(texts), 2), -1, np.int64)  # of each text in the file; -1: not packed yet
        self.file = tempfile.TemporaryFile(dir=".")  # noqa: SIM115 - closed with this object

    def __len__(self) -> int:
        return len(self.texts)

    def pack(self, indices: np.ndarray) -> tuple[Bytes, Bounds]:
        """Appends these texts to the file; returns them packed by themselves. Threads may call it at once."""
        data, bounds = pack([self.texts[i] for i in indices])
        with self.lock:
            self.bounds[indices] = bounds + self.size
            self.file.write(data)
            self.size += len(data)
        return data, bounds

    def data(self, indices: np.ndarray) -> Bytes:
        """The bytes of the file, mapped, to which `bounds` applies; these texts are packed if they were not."""
        needed = np.unique(indices)
        for batch in batches(needed[self.bounds[needed, 0] < 0]):
            self.pack(batch)
        self.file.flush()
        return np.memmap(self.file, np.uint8, "r") if self.size else np.empty(0, np.uint8)


def batches(indices: np.ndarray) -> Iterator[np.ndarray]:
    """The indices, `BATCH` at a time."""
    for start in range(0, len(indices), BATCH):
        yield indices[start : start + BATCH]
