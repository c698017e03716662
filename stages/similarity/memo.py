"""What the last search for near-duplicates found, by the ids of its texts, so that adding rows costs what they cost.

A folder of files that only grow while no row goes, and a manifest that says how much of each is whole, with checksums.
The manifest is written last, so that a search that is killed leaves what was there; where anything is wrong, the search
begins afresh. It holds for one code, one set of packages and parameters: who asks gives each a folder of its own.
"""

import json
import os
import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stages.similarity import minhash

PAIR = np.dtype([("first", "<u4"), ("second", "<u4"), ("similarity", "<f8")])  # by place among the ids
MANIFEST = "manifest.json"


class LastSearch:
    """The last search in `folder`, and which texts of this one, named by 24 characters each, it knows.

    `places` has the place of every text in it, -1 where it has none.
    """

    def __init__(self, folder: Path, ids: Sequence[str], permutations: int) -> None:
        self.folder, self.crcs, self.crowded = folder, {}, False
        self.kinds = {
            "ids": np.dtype(("<u8", (3,))), "signatures": np.dtype(("<u4", (permutations,))), "pairs": PAIR,
        }  # fmt: skip
        self.ids = np.frombuffer("".join(ids).encode("ascii"), "<u8").reshape(-1, 3)
        try:
            files = self._open()
        except (OSError, ValueError, KeyError):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            files = {name: np.empty(0, kind) for name, kind in self.kinds.items()}
        self.files, self.signatures = files, files["signatures"]
        self.places = minhash.placed(files["ids"], self.ids)

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """The pairs that were compared and are of texts of this search, (n, 2), and their similarities."""
        texts = np.full(len(self.files["ids"]), -1, np.int64)
        texts[self.places[self.places >= 0]] = np.flatnonzero(self.places >= 0)
        found = self.files["pairs"]
        pairs = np.stack([texts[found["first"]], texts[found["second"]]], axis=1)
        both = (pairs >= 0).all(axis=1)
        return np.sort(pairs[both], axis=1), found["similarity"][both]

    def recall(self, pairs: np.ndarray, similarities: np.ndarray) -> None:
        """Writes the similarities of those pairs that were compared."""
        known, theirs = self.pairs()
        if len(known):
            codes, wanted = minhash.coded(known), minhash.coded(pairs)
            order = np.argsort(codes)
            at = order[np.searchsorted(codes, wanted, sorter=order) % len(codes)]
            same = codes[at] == wanted
            similarities[same] = theirs[at[same]]

    def keep(self, signatures: np.ndarray, pairs: np.ndarray, similarities: np.ndarray, crowded: bool) -> None:
        """Makes this search the last one: all its signatures, and every pair that it compared."""
        grows = np.count_nonzero(self.places >= 0) == len(self.files["ids"])  # no text of the last search is gone
        new = self.places < 0 if grows else np.ones(len(self.ids), bool)
        before = len(self.files["ids"]) if grows else 0
        places = np.where(new, before - 1 + np.cumsum(new), self.places)
        compared = np.empty(len(pairs), PAIR)
        compared["first"], compared["second"] = places[pairs].T
        compared["similarity"] = similarities
        added = {"ids": self.ids[new], "signatures": signatures[new], "pairs": compared}
        manifest = {"crowded": crowded}
        for name, array in added.items():
            raw = np.ascontiguousarray(array).view(np.uint8).reshape(-1)
            held = self.files[name].nbytes if grows and name != "pairs" else 0
            crc = zlib.crc32(raw, self.crcs.get(name, 0) if held else 0)
            manifest[name] = {"bytes": held + len(raw), "crc32": crc}
            self._write(name, held, raw)
        partial = self.folder / f".{MANIFEST}"
        partial.write_text(json.dumps(manifest))
        os.replace(partial, self.folder / MANIFEST)

    def _write(self, name: str, held: int, raw: np.ndarray) -> None:
        """Appends, or replaces the file, which the manifest that stands still describes until it is replaced too."""
        file = self.folder / name
        if held:
            with file.open("r+b") as handle:
                handle.truncate(held)
                handle.seek(held)
                handle.write(raw)
            return
        partial = self.folder / f".{name}"
        raw.tofile(partial)
        os.replace(partial, file)

    def _open(self) -> dict[str, np.ndarray]:
        manifest = json.loads((self.folder / MANIFEST).read_bytes())
        self.crowded = manifest["crowded"]
        files = {}
        for name, kind in self.kinds.items():
            size, self.crcs[name] = manifest[name]["bytes"], manifest[name]["crc32"]
            whole = np.memmap(self.folder / name, np.uint8, "r")[:size] if size else np.empty(0, np.uint8)
            if zlib.crc32(whole) != self.crcs[name]:
                raise ValueError(name)
            files[name] = whole.view(kind.base).reshape(-1, *kind.shape)
        return files
