"""Splits that names of files, folders, arrays in JSON documents and values of fields give.

The words are those that `datasets` knows in names of files and folders, and a few more that people use.
"""

import re
from typing import NamedTuple

WORDS = {
    "train": ("train", "training", "trainset"),
    "val": ("val", "valid", "validation", "dev", "valset", "devset"),
    "test": ("test", "testing", "testset", "devtest", "eval", "evaluation", "heldout", "holdout"),
}
SPLITS = {word: split for split, words in WORDS.items() for word in words}
TWO_WORDS = re.compile(r"(?<![^\W\d_])(held|hold)[-_. ](?=out(?![^\W\d_]))")  # written as two
WORD = re.compile(r"[^\W\d_]+|\d+")  # all else, and a change to digits, separates words


class Named(NamedTuple):
    split: str  # "": none
    word: str  # that says so


def named(name: str) -> Named:
    """The split of a name such as `train`, `validation-v2`, `oos_test` or `test_sft-00000-of-00002`, by its last word.

    No word that goes on as in `evaluation_of_products` counts: that is what the rows are about.
    """
    words = WORD.findall(TWO_WORDS.sub(r"\1", name.lower()))
    found = [word for word, after in zip(words, [*words[1:], ""], strict=True) if word in SPLITS and after != "of"]
    return Named(SPLITS[found[-1]], found[-1]) if found else Named("", "")


def split_from_name(name: str) -> str:
    """The split that a name gives; "" for other names."""
    return named(name).split


def told() -> str:
    """The splits with their other names, for messages."""
    *first, last = (f"{split} ({', '.join(word for word in words if word != split)})" for split, words in WORDS.items())
    return f"{', '.join(first)} or {last}"
