"""Rows compared side by side: pairs that are alike in every side, pairs of like questions.

MinHash over question and answers together, or over questions alone, finds candidates; exact Jaccard similarity of each
side decides. A row whose question is mostly shared with many is searched by the rest of it, for rows that share the
same, and by all of it, for rows that do not.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from copy import copy
from pathlib import Path

import msgspec
import numpy as np

from stages.params.data import Near
from stages.rows.row import Row
from stages.similarity import lsh, near, wording
from stages.similarity.forms import plain_form
from stages.similarity.memo import SearchMemo
from stages.similarity.near import SimilarPairs
from stages.similarity.packed_texts import PackedTexts
from stages.similarity.shared_text import UnitCounter
from stages.similarity.shingles import plain
from stages.similarity.sides import Facts, Sides, facts, sides

SYSTEM, QUESTION, REST, ANSWER, REJECTED = range(5)  # texts of a row
TEXTS = 5


class Comparison:
    """Rows that are compared with each other, by their places in `indices`; decoded on access.

    Attributes:
        ids: of the rows.
        digests: of each row; those of two rows are equal if the rows are, but for case, white space and forms of marks.
        contexts, answers, good: of each row, equal numbers for equal `sides.Facts`.
    """

    def __init__(self, rows: Sequence[Row], indices: Sequence[int], params: Near) -> None:
        self.params, self._rows, self._indices = params, rows, np.asarray(indices, np.int64)
        self._last: tuple[int, Sides] | None = None
        self.ids: list[str] = []
        self.digests: list[bytes] = []
        self.contexts, self.answers, self.good = (np.zeros(len(indices), np.int64) for _ in range(3))
        self._has = np.zeros(TEXTS, bool)  # which texts any row has
        self._only_texts = True  # to pretrain on
        counter = UnitCounter()
        for place, index in enumerate(indices):
            row = rows[index]
            found = sides(row.content)
            known = facts(row.content)
            self.ids.append(row.id)
            self.digests.append(_digest(found, known))
            self.contexts[place], self.answers[place], self.good[place] = (*map(hash, known[:2]), known.good)
            self._only_texts &= row.kind == "text"
            self._has |= [found.system != "", True, False, found.answer != "", found.rejected != ""]
            counter.add("" if row.kind == "text" else found.question)  # of texts all is compared
        self._shared = counter.shared()
        self._common = np.zeros(len(indices), np.int64)  # what the question shares with many; 0: not most of it
        for place in np.flatnonzero(self._shared.mostly).tolist():
            self._common[place] = self._shared.shared(self.sides(place).question)
        self._texts = self._pack()

    def only(self, places: Sequence[int]) -> "Comparison":
        """Some of the rows, in this order. What is shared by many is what all the rows share."""
        part = copy(self)
        part._last = None
        part.ids, part.digests = [self.ids[place] for place in places], [self.digests[place] for place in places]
        for name in ("contexts", "answers", "good", "_common", "_indices"):
            setattr(part, name, getattr(self, name)[places])
        part._texts = part._pack()
        return part

    def _pack(self) -> PackedTexts:
        return PackedTexts(_Texts(len(self) * TEXTS, lambda index: plain_form(self.text(*divmod(index, TEXTS)))))

    def __len__(self) -> int:
        return len(self._indices)

    def sides(self, place: int) -> Sides:
        last = self._last  # threads read sides at once
        if last is None or last[0] != place:
            self._last = last = place, sides(self._rows[self._indices[place]].content)
        return last[1]

    def text(self, place: int, side: int) -> str:
        """One of the texts of a row."""
        found = self.sides(place)
        if side == REST:
            return self._shared.rest(found.question)
        return (found.system, found.question, "", found.answer, found.rejected)[side]

    def compare(self, pairs: np.ndarray, side: int, other_side: int | None = None) -> np.ndarray:
        """The exact similarity of a text of each of `pairs` (n, 2); of the second row `other_side`, if that is given.

        Questions that share the same with many are compared by the rest.
        """
        if not len(pairs):
            return np.empty(0)
        texts = np.tile([side, side if other_side is None else other_side], (len(pairs), 1))
        if side == QUESTION:
            texts[self._share_the_same(pairs)] = REST
        return near.compare(self._texts, pairs * TEXTS + texts, self.params)

    def like_rows(self, memo: Path | None) -> SimilarPairs:
        """Pairs of rows with the same facts that are alike in every text and say the same, with the least similarity.

        Two texts that are each alike to s are together alike to s / (2 - s) or more.
        """
        texts = [side for side in (QUESTION, ANSWER, REJECTED, SYSTEM) if self._has[side]]
        threshold, joined = self.params.threshold, sum(side != SYSTEM for side in texts)
        together = msgspec.structs.replace(self.params, threshold=threshold / (joined - (joined - 1) * threshold))
        pairs, _ = self.similar_together(together, memo, rejected=True)
        same = (self.contexts, self.answers, self.good)
        pairs = pairs[np.all([part[pairs[:, 0]] == part[pairs[:, 1]] for part in same], axis=0)]
        least = np.ones(len(pairs))
        for side in texts:
            least = np.minimum(least, self.compare(pairs, side))
            pairs, least = pairs[least >= threshold], least[least >= threshold]
        right = self.say_the_same(pairs, texts)
        return SimilarPairs(pairs[right], least[right])

    def say_the_same(self, pairs: np.ndarray, texts: Sequence[int]) -> np.ndarray:
        """Whether `texts` of each of `pairs` (n, 2) say the same. Texts to pretrain on are judged by their letters."""
        if self._only_texts:
            return np.ones(len(pairs), bool)
        known = {place: [self.text(place, side) for side in texts] for place in np.unique(pairs).tolist()}
        differing = ([(x, y) for x, y in zip(known[a], known[b], strict=True) if x != y] for a, b in pairs.tolist())
        slips = [
            wording.doubtful_slips([(wording.wording(x), wording.wording(y)) for x, y in two]) for two in differing
        ]
        rows = self._rows_with({word for found in slips for slip in found or () for word in slip})
        same = (found is not None and all(wording.is_rare_form(rows[a], rows[b]) for a, b in found) for found in slips)
        return np.fromiter(same, bool, len(pairs))

    def _rows_with(self, words: set[str]) -> Counter[str]:
        """How many rows have each of some words."""
        counts = Counter[str]()
        for place in range(len(self)) if words else ():
            counts.update(words & wording.plain_words("\n".join(self.sides(place))))
        return counts

    def same_figures(self, pairs: np.ndarray) -> np.ndarray:
        """Whether question and answers of each of `pairs` (n, 2) have the same numbers, and limits where the other."""
        known = np.zeros(len(self), np.int64)
        for place in np.unique(pairs).tolist():
            found = [wording.figures(text) for text in self.sides(place)[1:]]
            known[place] = hash(tuple((*numbers, limited) for numbers, limited in found))
        return known[pairs[:, 0]] == known[pairs[:, 1]]

    def equal_rows(self) -> list[list[int]]:
        """The rows in groups that say the same and are equal but for case, white space and forms."""
        equal: dict[bytes, list[int]] = {}
        for place, digest in enumerate(self.digests):
            equal.setdefault(digest, []).append(place)
        groups: list[list[int]] = []
        for places in equal.values():
            parts: dict[tuple[tuple[str, ...], ...] | None, list[int]] = {}
            for place in places:
                parts.setdefault(self._words(place) if len(places) > 1 else None, []).append(place)
            groups += parts.values()
        return sorted(groups)

    def _words(self, place: int) -> tuple[tuple[str, ...], ...] | None:
        return None if self._only_texts else tuple(tuple(wording.wording(text).words) for text in self.sides(place))

    def like_questions(self, memo: Path | None) -> SimilarPairs:
        """Pairs of rows whose questions are alike, whatever the system prompt, the tools and the answer are."""
        return self._search(lambda found, question: question, self.params, memo)

    def similar_together(self, params: Near, memo: Path | None, *, rejected: bool) -> SimilarPairs:
        """Pairs of rows whose question and answers, taken as one text, are alike."""
        return self._search(lambda found, question: "\n".join(
            (question, found.answer, found.rejected) if rejected and found.rejected else
            (question, found.answer) if found.answer else (question,)
        ), params, memo)  # fmt: skip

    def _search(self, text: Callable[[Sides, str], str], params: Near, memo: Path | None) -> SimilarPairs:
        """Pairs of rows, by one text of each: of the question only the rest, where both share the same with many."""
        n, mostly = len(self), np.flatnonzero(self._common)

        def entry(index: int) -> str:
            place = index if index < n else int(mostly[index - n])
            by_rest = index < n and self._common[place] != 0
            return plain_form(text(self.sides(place), self.text(place, REST if by_rest else QUESTION)))

        texts = _Texts(n + len(mostly), entry)
        search_memo = SearchMemo(memo, self._entry_ids(mostly), params.permutations) if memo else None
        found, similarities = near.find_pairs(texts, params, search_memo)
        pairs, by_rest = np.where(found < n, found, mostly[np.maximum(found - n, 0)] if len(mostly) else 0), found < n
        by_rest &= self._common[pairs] != 0
        share = self._share_the_same(pairs)
        right = np.where(share, by_rest.all(axis=1), ~by_rest.any(axis=1)) & (pairs[:, 0] != pairs[:, 1])
        codes, first = np.unique(lsh.pair_codes(pairs[right]), return_index=True)
        return SimilarPairs(np.stack([codes >> 32, codes & 0xFFFFFFFF], axis=1), similarities[right][first])

    def _share_the_same(self, pairs: np.ndarray) -> np.ndarray:
        common = self._common[pairs]
        return (common[:, 0] == common[:, 1]) & (common[:, 0] != 0)

    def _entry_ids(self, mostly: np.ndarray) -> list[str]:
        """An id of each text that `_search` searches by: it follows from the text and the row."""
        ids = self.ids + [self.ids[place] for place in mostly.tolist()]
        for place in mostly.tolist():
            rest = self.text(place, REST).encode("utf-8", "surrogatepass")
            ids[place] = hashlib.blake2b(ids[place].encode() + rest, digest_size=12).hexdigest()
        return ids


class _Texts(Sequence[str]):
    """`count` texts, made on access."""

    def __init__(self, count: int, text: Callable[[int], str]) -> None:
        self._count, self._text = count, text

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> str:  # type: ignore[override]
        return self._text(int(index))


def _digest(found: Sides, known: Facts) -> bytes:
    texts = plain(plain_form(" \0 ".join(found))).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(b"\0".join([texts, *known[:2], b"%d" % known.good]), digest_size=16).digest()
