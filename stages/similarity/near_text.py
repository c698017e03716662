"""Rows of any build that are near-duplicates of a text: MinHash finds candidates, exact Jaccard similarity decides.

What near means is what the builds' own parameters say: wherever a stage has `threshold` and `shingle_chars`. A row is
alike if its whole text, or one of its texts (a message, say), is. Signatures keep eight bits a permutation (Li and
König 2010, "b-Bit Minwise Hashing") and are all compared: no banding, so recall is that of the estimate's deviation.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from modelmake.tracing.history import Entry
from modelmake.tracing.row_index import RowIndex
from stages.similarity.shingles import jaccard, plain, shingles

NAMES = ("kind", "role")  # strings in a row's content that are names, no text
PERMUTATIONS = 128
DEVIATIONS = 4  # of the estimate: how far below the threshold a candidate may lie
CHUNK = 4096  # contents, or shingles of a text, that are hashed at once


class Near(NamedTuple):
    """What a build calls near-duplicates."""

    threshold: float  # of the Jaccard similarity
    chars: int  # of a shingle


EQUAL = Near(1.0, 5)  # where no parameters say: the same but for case and white space


def near_of(build: Iterable[Entry]) -> Near:
    """The widest that the parameters of a build's stages say; EQUAL where none do."""
    return min((near for e in build for near in _said(e.content.get("params"))), default=EQUAL)


def _said(value: Any) -> Iterator[Near]:
    if isinstance(value, dict):
        if {"threshold", "shingle_chars"} <= value.keys():
            yield Near(value["threshold"], value["shingle_chars"])
        for inner in value.values():
            yield from _said(inner)


def texts(content: Any) -> list[str]:
    """Every text of a row's content, in order."""
    if isinstance(content, str):
        return [content]
    if isinstance(content, dict):
        return [text for name, inner in content.items() if name not in NAMES for text in texts(inner)]
    return [text for inner in content for text in texts(inner)] if isinstance(content, list) else []


def whole(content: Any) -> str:
    """A row's texts as one, as its near-duplicates are judged by."""
    return "\n".join(texts(content))


def similar(text: str, index: RowIndex, nears: set[Near]) -> tuple[dict[int, dict[int, float]], set[int]]:
    """{row: {chars: similarity}} of every row that is alike by any of `nears`; and rows that may be, but whose text
    the cache has no more."""
    found: dict[int, dict[int, float]] = {}
    gone: set[int] = set()
    for chars in sorted({near.chars for near in nears}):
        threshold = min(near.threshold for near in nears if near.chars == chars)
        wanted = shingles(text, chars)
        for row in _candidates(text, index, threshold, chars):
            content = index.content(row)
            if content is None:
                gone.add(row)
                continue
            best = max(jaccard(wanted, shingles(piece, chars)) for piece in _pieces(content))
            if best >= threshold:
                found.setdefault(row, {})[chars] = round(best, 4)
    return found, gone


def _pieces(content: Any) -> list[str]:
    found = texts(content)
    return list(dict.fromkeys(["\n".join(found), *found]))


def _candidates(text: str, index: RowIndex, threshold: float, chars: int) -> list[int]:
    import numpy as np

    sign(index, chars)
    asked = signatures([text], chars)[0]
    deviation = (threshold * (1 - threshold) / PERMUTATIONS) ** 0.5
    least = PERMUTATIONS * (threshold - DEVIATIONS * deviation)
    found: set[int] = set()
    query = "SELECT contents, bits FROM signatures WHERE chars = ?"
    for rows, bits in index.db.execute(query, (chars,)):
        same = np.count_nonzero(np.frombuffer(bits, np.uint8).reshape(-1, PERMUTATIONS) == asked, axis=1)
        found.update(np.frombuffer(rows, np.int32)[same >= least].tolist())
    return sorted(found)


def sign(index: RowIndex, chars: int) -> None:
    """Signs the rows that came since the last time."""
    import numpy as np

    db = index.db
    while True:
        (last,) = db.execute("SELECT coalesce(max(last), 0) FROM signatures WHERE chars = ?", (chars,)).fetchone()
        query = "SELECT content, row FROM contents WHERE content > ? ORDER BY content LIMIT ?"
        new = db.execute(query, (last, CHUNK)).fetchall()
        if not new:
            return
        if len(new) == CHUNK:
            print(f"trace: signs rows from {last + 1:,} on, once", file=sys.stderr)
        contents = {row: index.content(row) for _, row in new}
        pieces = [(row, piece) for row, content in contents.items() if content for piece in _pieces(content)]
        rows = np.array([row for row, _ in pieces], np.int32)
        bits = signatures([piece for _, piece in pieces], chars)
        absent = sum(not content for content in contents.values())
        with db:
            stored = (chars, new[-1][0], rows.tobytes(), bits.tobytes(), absent)
            db.execute("INSERT OR IGNORE INTO signatures VALUES (?, ?, ?, ?, ?)", stored)


def absent(index: RowIndex) -> int:
    """How many rows could not be compared: the cache did not have their texts when they were to be signed."""
    counts = index.db.execute("SELECT sum(absent) FROM signatures GROUP BY chars")
    return max((n for (n,) in counts), default=0)


def signatures(texts: list[str], chars: int) -> Any:
    """uint8 (texts, PERMUTATIONS): the lowest eight bits of each text's MinHash values.

    Hashes are multiply-shift (Dietzfelbinger et al. 1997) over whole shingles; NumPy alone, because what datasketch
    imports takes longer than all the rest of an answer.
    """
    import numpy as np

    random = np.random.Generator(np.random.PCG64(1))
    weights, factors = (random.integers(0, 2**64, n, np.uint64) | np.uint64(1) for n in (chars, PERMUTATIONS))
    terms = random.integers(0, 2**64, PERMUTATIONS, np.uint64)
    found = np.empty((len(texts), PERMUTATIONS), np.uint8)
    for number, text in enumerate(texts):
        codes = np.frombuffer((plain(text) or "\0").encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
        runs = np.lib.stride_tricks.sliding_window_view(codes, min(chars, len(codes)))
        hashes = np.unique((runs * weights[: runs.shape[1]]).sum(axis=1, dtype=np.uint64))
        least = np.full(PERMUTATIONS, 2**64 - 1, np.uint64)
        for start in range(0, len(hashes), CHUNK):  # of a long text, not all at once
            values = (
                hashes[start : start + CHUNK, None] ^ hashes[start : start + CHUNK, None] >> np.uint64(29)
            ) * factors
            np.minimum(least, (values + terms).min(axis=0), out=least)
        found[number] = least >> np.uint64(32) & np.uint64(255)
    return found
