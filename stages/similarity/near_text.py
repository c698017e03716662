"""Rows of any build that are near-duplicates of a text: MinHash finds candidates, exact Jaccard similarity decides.

`modelmake.domain.Similarity` for rows of text. The criterion of a build is in the parameters of its stages. A row is
similar if its whole text is, or one of its texts (a message, say). Signatures keep eight bits a permutation (Li and
König 2010, "b-Bit Minwise Hashing") and are all compared, without banding: only the estimate's deviation limits recall.
"""

import sys
from collections.abc import Iterable, Iterator
from sqlite3 import Connection
from typing import Any, NamedTuple

from modelmake.tracing.row_index import RowIndex
from stages.similarity.shingles import jaccard, plain, shingles

NAMES = ("kind", "role")  # fields of a row's content that hold names, not text
PERMUTATIONS = 128
DEVIATIONS = 4  # standard deviations of the estimate below the threshold at which a row is still a candidate
CHUNK = 4096  # contents, or shingles of a text, hashed at once
# This module's table in the index. A line has the signatures of up to CHUNK contents, the last of them numbered `last`.
# Rename the table when `signatures` changes.
TABLE = """CREATE TABLE IF NOT EXISTS signatures
(chars INTEGER, last INTEGER, rows BLOB, bits BLOB, absent INTEGER, PRIMARY KEY (chars, last))"""


class Near(NamedTuple):
    """A criterion for near-duplicates."""

    threshold: float  # Jaccard similarity
    chars: int  # of a shingle


EQUAL = Near(1.0, 5)  # without parameters: equal but for case and white space


def criteria(parameters: Any) -> set[Near]:
    """Every pair of `threshold` and `shingle_chars` in the parameters of a stage."""
    return set(_criteria(parameters))


def _criteria(value: Any) -> Iterator[Near]:
    if isinstance(value, dict):
        if {"threshold", "shingle_chars"} <= value.keys():
            yield Near(value["threshold"], value["shingle_chars"])
        for inner in value.values():
            yield from _criteria(inner)


def loosest(criteria: Iterable[Near]) -> Near:
    """The criterion with the lowest threshold; EQUAL where there is none."""
    return min(criteria, default=EQUAL)


def texts(content: Any) -> list[str]:
    """Every text of a row's content, in order."""
    if isinstance(content, str):
        return [content]
    if isinstance(content, dict):
        return [text for name, inner in content.items() if name not in NAMES for text in texts(inner)]
    return [text for inner in content for text in texts(inner)] if isinstance(content, list) else []


def text(content: Any) -> str:
    """A row's texts joined by newlines."""
    return "\n".join(texts(content))


def similar(text: str, index: RowIndex, criteria: set[Near]) -> tuple[dict[int, dict[Near, float]], set[int]]:
    """{row: {criterion that it meets: similarity}}; and candidates whose content is not in the cache."""
    matches: dict[int, dict[Near, float]] = {}
    without_content: set[int] = set()
    for chars in sorted({near.chars for near in criteria}):
        thresholds = [near.threshold for near in criteria if near.chars == chars]
        query = shingles(text, chars)
        for row in _candidates(text, index, min(thresholds), chars):
            content = index.content(row)
            if content is None:
                without_content.add(row)
                continue
            similarity = max(jaccard(query, shingles(piece, chars)) for piece in _pieces(content))
            for threshold in thresholds:
                if similarity >= threshold:
                    matches.setdefault(row, {})[Near(threshold, chars)] = round(similarity, 4)
    return matches, without_content


def _pieces(content: Any) -> list[str]:
    """The distinct texts to compare: the whole, and each one by itself."""
    return list(dict.fromkeys([text(content), *texts(content)]))


def _candidates(text: str, index: RowIndex, threshold: float, chars: int) -> list[int]:
    """Rows whose signatures agree with the text's about as often as rows that meet the threshold."""
    import numpy as np

    _sign(index, chars)
    query = signatures([text], chars)[0]
    deviation = (threshold * (1 - threshold) / PERMUTATIONS) ** 0.5
    least = PERMUTATIONS * (threshold - DEVIATIONS * deviation)
    candidates: set[int] = set()
    for rows, bits in _table(index).execute("SELECT rows, bits FROM signatures WHERE chars = ?", (chars,)):
        equal = np.count_nonzero(np.frombuffer(bits, np.uint8).reshape(-1, PERMUTATIONS) == query, axis=1)
        candidates.update(np.frombuffer(rows, np.int32)[equal >= least].tolist())
    return sorted(candidates)


def _sign(index: RowIndex, chars: int) -> None:
    """Adds the signatures of contents that are new in the index."""
    import numpy as np

    db = _table(index)
    while True:
        (last,) = db.execute("SELECT coalesce(max(last), 0) FROM signatures WHERE chars = ?", (chars,)).fetchone()
        new = index.contents_after(last, CHUNK)
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
            values = (chars, new[-1][0], rows.tobytes(), bits.tobytes(), absent)
            db.execute("INSERT OR IGNORE INTO signatures VALUES (?, ?, ?, ?, ?)", values)


def uncompared(index: RowIndex) -> int:
    """The number of rows without a signature, because the cache did not have their content when they were signed."""
    counts = _table(index).execute("SELECT sum(absent) FROM signatures GROUP BY chars")
    return max((count for (count,) in counts), default=0)


def _table(index: RowIndex) -> Connection:
    """The index, with this module's table."""
    index.db.execute(TABLE)
    return index.db


def signatures(texts: list[str], chars: int) -> Any:
    """uint8 (texts, PERMUTATIONS): the lowest eight bits of each text's MinHash values.

    Hashes are multiply-shift (Dietzfelbinger et al. 1997) over whole shingles. NumPy alone: importing datasketch takes
    longer than the rest of an answer.
    """
    import numpy as np

    random = np.random.Generator(np.random.PCG64(1))
    weights, factors = (random.integers(0, 2**64, n, np.uint64) | np.uint64(1) for n in (chars, PERMUTATIONS))
    terms = random.integers(0, 2**64, PERMUTATIONS, np.uint64)
    result = np.empty((len(texts), PERMUTATIONS), np.uint8)
    for number, text in enumerate(texts):
        codes = np.frombuffer((plain(text) or "\0").encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
        runs = np.lib.stride_tricks.sliding_window_view(codes, min(chars, len(codes)))
        hashes = np.unique((runs * weights[: runs.shape[1]]).sum(axis=1, dtype=np.uint64))
        least = np.full(PERMUTATIONS, 2**64 - 1, np.uint64)
        for start in range(0, len(hashes), CHUNK):  # a long text in chunks, to bound the memory
            chunk = hashes[start : start + CHUNK, None]
            np.minimum(least, ((chunk ^ chunk >> np.uint64(29)) * factors + terms).min(axis=0), out=least)
        result[number] = least >> np.uint64(32) & np.uint64(255)
    return result
