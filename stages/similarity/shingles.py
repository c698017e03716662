"""Jaccard similarity of two texts' shingles, by which rows are near-duplicates.

Broder 1997, "On the resemblance and containment of documents". A shingle is a run of `chars` characters of the text,
lower-cased, white space collapsed.
"""


def plain(text: str) -> str:
    """The text in lower case, runs of white space as one space."""
    return " ".join(text.lower().split())


def shingles(text: str, chars: int) -> frozenset[str]:
    """The set of runs of `chars` characters; a shorter text is its own one shingle."""
    text = plain(text)
    return frozenset(text[i : i + chars] for i in range(max(1, len(text) - chars + 1)))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """Size of the intersection over size of the union, in [0, 1]."""
    common = len(a & b)
    return common / (len(a) + len(b) - common)
