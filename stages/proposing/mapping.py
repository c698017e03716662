"""Fields of records that no format knows, mapped to those of a format by their names.

People add names to the tables; the first name of a table is taken before the others.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from stages.reading.containers.split_names import split_from_name

CONTEXT = ("body", "context", "passage", "background", "article", "premise")
QUESTION = (
    "question", "prompt", "instruction", "query", "problem", "request", "utterance", "user", "input", "source", "title",
    "sentence", "message", "text",
)  # fmt: skip
ANSWER = (
    "answer", "completion", "response", "output", "solution", "reply", "target", "assistant", "sql", "code", "summary",
    "translation",
)  # fmt: skip
LABEL = ("intent", "label", "category", "class", "sentiment", "topic")
CHOSEN = ("chosen", "preferred", "better", "accepted", "winner")
REJECTED = ("rejected", "dispreferred", "worse", "loser")
BAD = {"bad", "wrong", "incorrect", "negative", "false", "rejected"}  # words in the name of no answer to learn
TEXT = ("text", "content", "body", "document", "article", "passage")
SPLIT = ("split", "set", "partition", "subset")
FORMATS: dict[str, dict[str, tuple[tuple[str, ...], bool]]] = {  # {format: {its field: (names, may be a number)}}
    "pairs": {"prompt": (QUESTION, False), "chosen": (CHOSEN, False), "rejected": (REJECTED, False)},
    "alpaca": {"instruction": (CONTEXT, False), "input": (QUESTION, False), "output": (ANSWER, True)},
    "completion": {"prompt": (QUESTION, False), "completion": (ANSWER, True)},
    "labelled": {"text": ((*TEXT, *QUESTION), False), "label": (LABEL, True)},
    "text": {"text": (TEXT, False)},
}
OPENAI_PREFERENCES = {  # as in files for OpenAI's preference tuning
    "prompt": "input.messages", "chosen": "preferred_output", "rejected": "non_preferred_output",
}  # fmt: skip
VALUES = ("text", "value", "content")  # names that say nothing; the name of what they are in does
MEASURES = {"start", "end", "offset", "index", "idx", "id", "position", "count", "length", "type"}  # of a text, no text
MOST = 0.98  # share of the records that must have a field
WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class Leaf(NamedTuple):
    """A value of records, by its path: `answer.text`, or `sentences.0.text` for the first of a list."""

    path: str
    name: str  # the last name of the path, not of a place in a list
    values: list[Any]  # of the records that have one

    def rank(self, names: tuple[str, ...]) -> tuple[int, int, int] | None:
        """How well the leaf bears one of the names, less is better: as a whole, or as a word of its own."""
        outer = [part for part in self.path.split(".") if not part.isdigit()][-2:-1]
        for own in [*(outer if self.name.lower() in VALUES else ()), self.name]:
            words = [word.lower() for word in WORDS.findall(own)]
            forms = {own.lower(), own.lower().removesuffix("s")}
            whole = [(0, place) for place, name in enumerate(names) if name in forms]
            within = [(1, place) for place, name in enumerate(names) if name in words]
            if (whole or within) and not (MEASURES | BAD if names is ANSWER else MEASURES) & set(words):
                return *min(whole + within), self.path.count(".")
        return None


class Mapping(NamedTuple):
    """How the records of a file are read, as an entry of `ingest.files` says it."""

    format: str
    fields: dict[str, str]  # {field of the format, or split: path in the records}
    left: list[str]  # paths that nothing reads


def propose(records: list[dict[str, Any]]) -> Mapping | str:
    """The mapping of records to a format, or why their names do not tell one."""
    found = leaves(records)
    least = MOST * len(records)
    if all({"input", "preferred_output", "non_preferred_output"} <= record.keys() for record in records):
        return Mapping("pairs", OPENAI_PREFERENCES, [])
    texts = [leaf for leaf in found if sum(isinstance(v, str) and bool(v.strip()) for v in leaf.values) >= least]
    values = [leaf for leaf in found if sum(v not in (None, "") for v in leaf.values) >= least]
    for kind, roles in FORMATS.items():
        fields: dict[str, str] = {}
        for role, (names, any_value) in roles.items():
            candidates = [leaf for leaf in (values if any_value else texts) if leaf.path not in fields.values()]
            best = _best(candidates, names)
            if len(best) > 1:
                return f"{' and '.join(leaf.path for leaf in best)} could each be the {role} of {kind}"
            if not best:
                break
            fields[role] = best[0].path
        else:
            fields |= _split(found, least)
            return Mapping(kind, fields, [leaf.path for leaf in found if leaf.path not in fields.values()])
    return f"no name among {', '.join(leaf.path for leaf in found)} is known for a question with its answer, or a text"


def ignorable(unread: Iterable[str], fields: dict[str, str]) -> list[str]:
    """Of the paths that nothing reads those that `ignore` can name: none of them is, or holds, a mapped one."""
    mapped = [re.sub(r"\b\d+\b", "*", path) for path in fields.values()]
    return [path for path in unread if path not in mapped and not path.startswith("(")]


def leaves(records: Iterable[dict[str, Any]]) -> list[Leaf]:
    """The leaf values of records, in the order in which they are met; of a list those of its first element."""
    found: dict[str, Leaf] = {}
    for record in records:
        for path, value in _paths(record, ""):
            names = [part for part in path.split(".") if not part.isdigit()]
            found.setdefault(path, Leaf(path, names[-1] if names else path, [])).values.append(value)
    return list(found.values())


def _paths(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for name, item in items:
        yield from _paths(item, f"{path}.{name}" if path else str(name))
    if not isinstance(value, dict | list):
        yield path, value


def _best(candidates: list[Leaf], names: tuple[str, ...]) -> list[Leaf]:
    """The leaves with the best name; several, if they are equally good."""
    ranked = [(rank, leaf) for leaf in candidates if (rank := leaf.rank(names)) is not None]
    best = min((rank for rank, _ in ranked), default=None)
    return [leaf for rank, leaf in ranked if rank == best]


def _split(found: list[Leaf], least: float) -> dict[str, str]:
    """{"split": path} of the field whose values name splits, if there is one."""
    named = [leaf for leaf in found if leaf.rank(SPLIT) is not None and len(leaf.values) >= least]
    given = [leaf for leaf in named if all(isinstance(v, str) and split_from_name(v) for v in leaf.values)]
    return {"split": given[0].path} if given else {}
