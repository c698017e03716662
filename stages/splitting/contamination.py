"""Contamination: runs of words that rows share with evaluation sets.

As GPT-3 was checked (Brown et al. 2020, "Language Models are Few-Shot Learners", appendix C): words in lower case,
punctuation ignored, n-grams of about 13. A text of a set with fewer words is compared with whole texts of rows.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from modelmake.errors import UserError
from stages.params.data import Decontaminate
from stages.reading import files
from stages.reading.containers.record import Broken
from stages.rows import parts
from stages.rows.row import Row
from stages.rows.texts import content_texts

WORD = re.compile(r"\w+")


class Overlap(NamedTuple):
    """The longest run of words that a text shares with an evaluation set."""

    evaluation: str  # file:line of the set's text that has its first words
    words: int
    span: str  # as the row spells it


class EvaluationSets:
    """The n-grams of evaluation sets, each in memory once, and their shorter texts."""

    def __init__(self, params: Decontaminate) -> None:
        self._n, self._min_words = params.words, params.min_words
        self._ngrams: dict[str, str] = {}  # n-gram -> file:line of the first text with it
        self._short_texts: dict[str, str] = {}  # whole text -> file:line

    def __bool__(self) -> bool:
        return bool(self._ngrams or self._short_texts)

    def add(self, text: str, source: str) -> None:
        """Adds a text of a set; `source` is its file:line."""
        words = split_words(text)
        if len(words) >= self._n:
            for ngram in ngrams(words, self._n):
                self._ngrams.setdefault(ngram, source)
        elif len(words) >= self._min_words:
            self._short_texts.setdefault(" ".join(words), source)

    def find_overlap(self, text: str) -> Overlap | None:
        """The longest overlap of a text with the sets; of equally long ones the first."""
        words = split_words(text)
        if source := self._short_texts.get(" ".join(words)) if len(words) < self._n else None:
            return Overlap(source, len(words), text.strip())
        best, first, last = (0, 0), 0, -2  # (words, -start) of the best run; bounds of the current one
        for place, ngram in enumerate(ngrams(words, self._n)):
            if ngram in self._ngrams:
                first, last = (first if place == last + 1 else place), place
                best = max(best, (last - first + self._n, -first))
        if not best[0]:
            return None
        length, start = best[0], -best[1]
        spans = [match.span() for match in WORD.finditer(text)][start : start + length]
        source = self._ngrams[" ".join(words[start : start + self._n])]
        return Overlap(source, length, text[spans[0][0] : spans[-1][1]])


def split_words(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation."""
    return [word.lower() for word in WORD.findall(text)]


def ngrams(words: Sequence[str], n: int) -> Iterator[str]:
    """Every run of n words, joined by spaces."""
    for start in range(len(words) - n + 1):
        yield " ".join(words[start : start + n])


def read(folder: Path, params: Decontaminate) -> EvaluationSets:
    """The evaluation sets below a folder: every text in every record, whatever its field.

    Raises:
        UserError: a file or a record cannot be read.
    """
    sets = EvaluationSets(params)
    if files.find(folder, folder, []).files:  # a README or a licence alone is no set
        for file in files.list_files(folder, []).files:
            for record in files.read(file.path, file.name):
                if isinstance(record, Broken):
                    raise UserError(f"{file.path}:{record.line}: {record.reason}: {record.detail}: mend the set")
                for text in _texts(record.value):
                    sets.add(text, f"{file.name}:{record.line}")
    return sets


def find_overlap(row: Row, sets: EvaluationSets) -> Overlap | None:
    """The longest overlap of any text of a row with the sets. System prompts reveal nothing: sets may have the same."""
    split = parts.split(row.content)
    turns = [turn for turn in split.prompt if turn.role != "system"]
    texts = content_texts(parts.join(row.content, split._replace(prompt=turns)))
    overlaps = [overlap for text in texts if (overlap := sets.find_overlap(text))]
    return max(overlaps, key=lambda overlap: overlap.words, default=None)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
