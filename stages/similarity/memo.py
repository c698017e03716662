"""Folder with the last search for near-duplicates, by text id: a search compares only new texts with all others.

The files only grow as long as no text goes. A manifest, written last, holds how many bytes of each file are valid, with
checksums: a search that is killed leaves the memo of the one before, or a damaged one, which the next search discards.
A memo holds for one version of code, packages and parameters: the caller passes a folder of its own for each.
"""

import json
import os
import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path

import numba
import numpy as np

from stages.similarity.lsh import pair_codes
from stages.similarity.minhash import Signatures

PAIR = np.dtype([("first", "<u4"), ("second", "<u4"), ("similarity", "<f8")])  # positions among the stored ids
MANIFEST = "manifest.json"
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio, odd


class SearchMemo:
    """The last search in `folder`, for the next one, over the texts `ids`.

    `positions` holds the position of each text among the stored ones, -1 if it is new.

    Args:
        ids: of the texts, 24 ASCII characters each.
    """

    def __init__(self, folder: Path, ids: Sequence[str], permutations: int) -> None:
        self.folder, self.checksums, self.crowded = folder, {}, False
        self.dtypes = {
            "ids": np.dtype(("<u8", (3,))), "signatures": np.dtype(("<u4", (permutations,))), "pairs": PAIR,
        }  # fmt: skip
        self.ids = np.frombuffer("".join(ids).encode("ascii"), "<u8").reshape(-1, 3)
        try:
            self.stored = self._open()
        except (OSError, ValueError, KeyError):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self.stored = {name: np.empty(0, dtype) for name, dtype in self.dtypes.items()}
        self.positions = find_positions(self.stored["ids"], self.ids)

    @property
    def old(self) -> np.ndarray:
        """The texts that the last search had."""
        return np.flatnonzero(self.positions >= 0)

    @property
    def new(self) -> np.ndarray:
        """The texts that the last search did not have."""
        return np.flatnonzero(self.positions < 0)

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """The stored pairs that are pairs of this search's texts, (n, 2), and their similarities."""
        texts = np.full(len(self.stored["ids"]), -1, np.int64)
        texts[self.positions[self.old]] = self.old
        stored = self.stored["pairs"]
        pairs = np.stack([texts[stored["first"]], texts[stored["second"]]], axis=1)
        present = (pairs >= 0).all(axis=1)
        return np.sort(pairs[present], axis=1), stored["similarity"][present]

    def fill_similarities(self, pairs: np.ndarray, similarities: np.ndarray) -> None:
        """Writes the stored similarities into `similarities` (n,), where `pairs` (n, 2) were compared before."""
        stored_pairs, stored_similarities = self.pairs()
        if len(stored_pairs):
            codes, wanted = pair_codes(stored_pairs), pair_codes(pairs)
            order = np.argsort(codes)
            at = order[np.searchsorted(codes, wanted, sorter=order) % len(codes)]
            equal = codes[at] == wanted
            similarities[equal] = stored_similarities[at[equal]]

    def fill_signatures(self, signatures: Signatures) -> None:
        """Writes the stored signatures of the old texts into `signatures`."""
        _copy_rows(self.stored["signatures"], self.positions, signatures)

    def save(self, signatures: Signatures, pairs: np.ndarray, similarities: np.ndarray, crowded: bool) -> None:
        """Replaces the last search by this one: all its signatures, and every pair that it compared."""
        stored_count = len(self.stored["ids"])
        grows = np.count_nonzero(self.positions >= 0) == stored_count  # no text of the last search is gone
        new = self.positions < 0 if grows else np.ones(len(self.ids), bool)
        positions = np.where(new, (stored_count if grows else 0) - 1 + np.cumsum(new), self.positions)
        compared = np.empty(len(pairs), PAIR)
        compared["first"], compared["second"] = positions[pairs].T
        compared["similarity"] = similarities
        added = {"ids": self.ids[new], "signatures": signatures[new], "pairs": compared}
        manifest = {"crowded": crowded}
        for name, array in added.items():
            raw = np.ascontiguousarray(array).view(np.uint8).reshape(-1)
            offset = self.stored[name].nbytes if grows and name != "pairs" else 0
            crc = zlib.crc32(raw, self.checksums.get(name, 0) if offset else 0)
            manifest[name] = {"bytes": offset + len(raw), "crc32": crc}
            self._write(name, offset, raw)
        partial = self.folder / f".{MANIFEST}"
        partial.write_text(json.dumps(manifest))
        os.replace(partial, self.folder / MANIFEST)

    def _write(self, name: str, offset: int, raw: np.ndarray) -> None:
        """Appends at `offset`, or replaces the whole file if that is 0."""
        file = self.folder / name
        if offset:
            with file.open("r+b") as handle:
                handle.truncate(offset)
                handle.seek(offset)
                handle.write(raw)
            return
        partial = self.folder / f".{name}"
        raw.tofile(partial)
        os.replace(partial, file)

    def _open(self) -> dict[str, np.ndarray]:
        manifest = json.loads((self.folder / MANIFEST).read_bytes())
        self.crowded = manifest["crowded"]
        stored = {}
        for name, dtype in self.dtypes.items():
            size, self.checksums[name] = manifest[name]["bytes"], manifest[name]["crc32"]
            valid = np.memmap(self.folder / name, np.uint8, "r")[:size] if size else np.empty(0, np.uint8)
            if zlib.crc32(valid) != self.checksums[name]:
                raise ValueError(name)
            stored[name] = valid.view(dtype.base).reshape(-1, *dtype.shape)
        return stored


def find_positions(ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The position of each of `wanted` in `ids`, both (n, 3) uint64 and `ids` distinct; -1 where it is missing."""
    slots = np.full(2 << max(len(ids) - 1, 0).bit_length(), -1, np.int64)  # a power of two: at most half full
    positions = np.full(len(wanted), -1, np.int64)
    _find_positions(ids, wanted, slots, positions)
    return positions


@numba.njit(cache=True, nogil=True)
def _find_positions(ids, wanted, slots, positions):
    mask = np.uint64(len(slots) - 1)
    for i in range(len(ids)):
        slot = _mix(ids[i, 0], ids[i, 1], ids[i, 2]) & mask
        while slots[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = i
    for i in range(len(wanted)):
        a, b, c = wanted[i]
        slot = _mix(a, b, c) & mask
        while slots[slot] >= 0:
            at = slots[slot]
            if ids[at, 0] == a and ids[at, 1] == b and ids[at, 2] == c:
                positions[i] = at
                break
            slot = (slot + np.uint64(1)) & mask


@numba.njit(inline="always")
def _mix(a, b, c):
    h = a * FACTOR
    h = (h ^ h >> np.uint64(32) ^ b) * FACTOR
    h = (h ^ h >> np.uint64(32) ^ c) * FACTOR
    return h ^ h >> np.uint64(32)


@numba.njit(cache=True, nogil=True)
def _copy_rows(source, positions, target):
    """Writes source[positions[i]] into target[i] where that is not -1."""
    for i in range(len(positions)):
        if positions[i] >= 0:
            target[i] = source[positions[i]]
