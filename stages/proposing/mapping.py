"""Fields of records that no format knows, mapped to those of a format by their names and the shapes of their values."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from stages.proposing import choices, names, several, shapes
from stages.proposing.shapes import Shape
from stages.reading import field_names, ratings
from stages.reading.containers.split_names import split_from_name
from stages.reading.flags import flag
from stages.reading.formats import READERS
from stages.reading.unread import empty

Role = tuple[tuple[str, ...], Shape]  # names of the fields that may have it, and the shape of their values
FORMATS: tuple[tuple[str, dict[str, Role]], ...] = (  # the first that has all of its fields is proposed
    ("pairs", {"prompt": (names.QUESTION, shapes.asked), "chosen": (names.CHOSEN, shapes.asked),
               "rejected": (names.REJECTED, shapes.asked)}),
    *(("multiple_choice", {"choices": (listed, shapes.choices), **before, "question": (names.QUESTION, shapes.text),
                           "answer": (right, shapes.scalar)})
      for listed, right in ((names.CHOICES, names.RIGHT), (names.LISTED_ANSWERS, ("label", "correct", "gold")))
      for before in ({"context": (names.CONTEXT, shapes.texts)}, {})),
    ("function_calls", {"query": (names.QUESTION, shapes.asked), "tools": (names.TOOLS, shapes.tools),
                        "answers": (names.CALLS, shapes.calls)}),
    ("messages", {"messages": (names.TURNS, shapes.turns)}),
    *(("alpaca", {"instruction": (first, shapes.text), "input": (second, shapes.text),
                  "output": (names.LABEL, shapes.scalar)}) for first, second in names.TWO_TEXTS),
    ("completion", {"context": (names.CONTEXT, shapes.texts), "prompt": (names.QUESTION, shapes.text),
                    "completion": (names.ANSWER, shapes.scalar)}),
    ("completion", {"prompt": (names.QUESTION, shapes.text), "completion": (names.ANSWER, shapes.scalar)}),
    ("labelled", {"text": ((*names.TEXT, *names.QUESTION), shapes.text), "label": (names.LABEL, shapes.label)}),
    ("text", {"text": (names.TEXT, shapes.text)}),
)  # fmt: skip
BESIDE: dict[str, Role] = {  # if there
    "system": (names.SYSTEM, shapes.text), "tools": (names.TOOLS, shapes.tools),
    "context": (names.ABOUT, shapes.texts), "reasoning_content": (names.REASONING, shapes.texts),
}  # fmt: skip
OPENAI_PREFERENCES = {  # as in files for OpenAI's preference tuning
    "prompt": "input.messages", "tools": "input.tools", "chosen": "preferred_output",
    "rejected": "non_preferred_output",
}  # fmt: skip
MIN_GROUPS = 10  # in the first records: of fewer, a split may get none
WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class Node(NamedTuple):
    """A value of records by its path: `answer.text`, or `sentences.0.text` for the first of a list."""

    path: str
    name: str  # the last name of the path, not of a place in a list
    values: list[Any]  # of the records that have one

    @property
    def is_leaf(self) -> bool:
        return not all(isinstance(value, dict | list) or value is None for value in self.values)

    @property
    def is_code(self) -> bool:
        """True for names of files and the like where a text would be what a question is about."""
        return all(isinstance(v, str) and field_names.is_code(self.name, v) for v in self.values if not empty(v))

    def has(self, shape: Shape, least: float) -> bool:
        return sum(map(shape, self.values)) >= least

    def rank(self, wanted: tuple[str, ...]) -> tuple[int, int, int] | None:
        """How well it bears one of the names, less is better: as a whole, or as a word of its own."""
        if is_guessed(self.path):
            return None
        outer = [part for part in self.path.split(".") if not part.isdigit()][-2:-1]
        if self.name.lower() not in names.SAYS_NOTHING:
            outer = []
        for own in outer if any(map(_is_known, outer)) else [*outer, self.name]:
            found, forms = words(own), {own.lower(), own.lower().removesuffix("s"), field_names.plain(own)}
            whole = [(0, place) for place, name in enumerate(wanted) if name in forms]
            within = [(1, place) for place, name in enumerate(wanted) if name in found]
            barred = names.MEASURES | names.BAD if wanted in (names.ANSWER, names.RIGHT) else names.MEASURES
            if (whole or within) and not barred & set(found):
                return *min(whole + within), self.path.count(".")
        return None


class Mapping(NamedTuple):
    """How the records of a file are read, as an entry of `ingest.files` says it."""

    format: str
    fields: dict[str, str]  # {field of the format, or split: path in the records}


class Asked(NamedTuple):
    """Why names and shapes do not tell a mapping, and those that it may be, if they are known."""

    why: str
    mappings: Sequence[Mapping] = ()


def propose(records: list[dict[str, Any]]) -> Mapping | Asked:
    """The mapping of records to a format, or what has to be asked."""
    if all({"input", "preferred_output", "non_preferred_output"} <= record.keys() for record in records):
        tools = all("tools" in record["input"] for record in records if isinstance(record["input"], dict))
        return Mapping("pairs", {name: path for name, path in OPENAI_PREFERENCES.items() if tools or name != "tools"})
    found = nodes(records)
    least = shapes.MOST * len(records)
    columns = choices.columns(((node.path, node.name, node.values) for node in found), least)
    for format, roles in FORMATS:
        fields: dict[str, str] = {}
        doubt = ""
        for role, (wanted, shape) in roles.items():
            free = [node for node in found if not any(_within(node.path, path) for path in fields.values())]
            fit = [node for node in free if node.has(shape, least) and not (role == "context" and node.is_code)]
            if format == "multiple_choice" and role == "answer":  # of a list of marks, one a choice, none is the answer
                fit = [node for node in fit if not any(map(str.isdigit, node.path.split(".")))]
            best = _best(fit, wanted)
            if not best and wanted is names.CHOICES and columns:
                fields |= columns
                continue
            if not best:
                break
            if len(best) > 1:
                doubt = doubt or f"{' and '.join(node.path for node in best)} could each be the {role} of {format}"
            fields[role] = best[0].path
        else:
            fields |= beside(format, fields, found, least)
            left = [node for node in found if node.is_leaf and not any(_within(node.path, p) for p in fields.values())]
            doubt = doubt or _doubt(format, fields, records, left, least)
            mapping = Mapping(format, several.each(fields | metadata(found, least), records))
            return Asked(doubt) if doubt else counted(mapping, records)
    if turns := [node.path for node in found if node.name.lower() in names.OF_A_TURN and ".0." in node.path]:
        return Asked(f"{turns[0]} tells whose turn it is: want turns with role and content, or with from and value")
    told = ", ".join(node.path for node in found if node.is_leaf)
    return Asked(f"no name among {told} is known for a question with its answer, or a text")


def counted(found: Mapping, records: list[dict[str, Any]]) -> Mapping | Asked:
    """A mapping to `multiple_choice` that says where the answers are counted from."""
    if found.format != "multiple_choice" or "answer" not in found.fields:
        return found
    first = choices.counted_from(records, found.fields)
    fields = {"answer_from_1" if name == "answer" else name: path for name, path in found.fields.items()}
    from_1 = found._replace(fields=fields)
    if first is None:
        right = found.fields["answer"]
        return Asked(f"{right} has neither 0 nor the number of choices: it may count from 0 or from 1", [found, from_1])
    return from_1 if first else found


def ignorable(unread: Iterable[str], fields: dict[str, str]) -> list[str]:
    """Of the paths that nothing reads those that `ignore` can name: none of them is, or holds, a mapped one."""
    mapped = [re.sub(r"\b\d+\b", "*", path) for path in fields.values()]
    return [path for path in unread if path not in mapped and not path.startswith("(")]


def nodes(records: Iterable[dict[str, Any]]) -> list[Node]:
    """The values of records at every depth, in the order in which they are met; in a list those of its first element.

    Those that a path of `ingest.files` cannot name are left out: names with dots below the record itself.
    """
    found: dict[str, Node] = {}
    for record in records:
        for path, value in _paths(record, ""):
            parts = [part for part in path.split(".") if not part.isdigit()]
            found.setdefault(path, Node(path, parts[-1] if parts else path, [])).values.append(value)
    return list(found.values())


def is_guessed(path: str) -> bool:
    """True for what a model guessed, such as `suggestions.label.score`: it is no answer, and judges none."""
    return bool(names.GUESSED & {word for part in path.split(".") for word in words(part)})


def words(name: str) -> list[str]:
    return [word.lower() for word in WORDS.findall(name)]


def metadata(found: list[Node], least: float) -> dict[str, str]:
    """{split or group: path} of the field whose values name splits, and of the one that names dialogues of several."""
    often = [node for node in found if len(node.values) >= least]
    named = [node for node in often if node.rank(names.SPLIT) is not None]
    given = [node for node in named if all(isinstance(v, str) and split_from_name(v) for v in node.values)]
    groups = [
        node for name in names.GROUP for node in often
        if "_".join(words(node.path)) == name and all(type(value) in (str, int) for value in node.values)
        and MIN_GROUPS <= len(set(node.values)) < len(node.values)
    ]  # fmt: skip
    return {role: fit[0].path for role, fit in (("split", given), ("group", groups)) if fit}


def _paths(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for name, item in items:
        if "." in str(name) and (path or isinstance(item, dict | list)):
            continue
        below = f"{path}.{name}" if path else str(name)
        yield below, item
        yield from _paths(item, below)


def _is_known(name: str) -> bool:
    return bool(names.KNOWN & {name.lower(), name.lower().removesuffix("s")})


def _within(path: str, other: str) -> bool:
    """True if one of two paths leads to, or into, the other."""
    return f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}.")


def _best(candidates: list[Node], wanted: tuple[str, ...]) -> list[Node]:
    """The nodes with the best name; several, if they are equally good."""
    ranked = [(rank, node) for node in candidates if (rank := node.rank(wanted)) is not None]
    best = min((rank for rank, _ in ranked), default=None)
    found = [node for rank, node in ranked if rank == best]
    if len(found) == 1 and wanted is names.ANSWER:
        return [next((node for rank, node in ranked if rank[0] == best[0] and _says_more(node, found[0])), found[0])]
    return found


def _says_more(node: Node, other: Node) -> bool:
    """True if its texts hold all that the other's do: a worked solution that ends in the answer."""
    pairs = list(zip(node.values, other.values, strict=False))
    return (
        node is not other and len(node.values) == len(other.values) and node.has(shapes.text, len(node.values))
        and sum(str(value) in text and str(value) != text for text, value in pairs) >= shapes.MOST * len(pairs)
    )  # fmt: skip


def beside(format: str, fields: dict[str, str], found: list[Node], least: float) -> dict[str, str]:
    """The fields that say more of a chat, where all records have them."""
    more: dict[str, str] = {}
    for role, (wanted, shape) in BESIDE.items():
        if role not in fields and role in READERS[format].FIELDS:
            have = [node for node in found if len(node.values) >= least and any(map(shape, node.values))
                    and all(shape(v) or empty(v) for v in node.values) and "." not in node.path and not node.is_code
                    and (rank := node.rank(wanted)) and rank[0] == 0 and node.path not in fields.values()]  # fmt: skip
            if len(have) == 1:
                more[role] = have[0].path
    judging = [node.path for node in found if len(node.values) >= least and _judges(node)]
    if len(judging) == 1 and "rating" in READERS[format].FIELDS and fields.keys().isdisjoint(ratings.FIELDS):
        more["rating"] = judging[0]
    return more


def _judges(node: Node) -> bool:
    """True for a field that says yes or no, and finds answers bad with it: a label only if it is no number."""
    said = [value for value in node.values if not empty(value)]
    is_flag = all(isinstance(v, bool) or (flag(v) is not None and node.path != ratings.LABEL) for v in said)
    return is_flag and field_names.plain(node.path) in names.JUDGED and any(flag(v) is False for v in said)


def _doubt(format: str, fields: dict[str, str], records: list[dict[str, Any]], left: list[Node], least: float) -> str:
    """Why a mapping would make other rows than the records mean; "" if nothing says so."""
    values = {node.path: node.values for node in nodes(records)}
    for path in (fields[role] for role in ("completion", "output") if role in fields):
        outer = re.split(r"\.\d+", path)[0]
        judged = [node.path for node in left if outer != path and node.path.startswith(f"{outer}.")
                  and field_names.changed_meaning(node.path.removeprefix(outer))]  # fmt: skip
        if judged:
            return f"{outer} holds several answers to one question, each with {', '.join(judged)}"
        if path.endswith("s") and all(map(shapes.listed, values[path])):
            return f"{path} holds lists of answers as text: want one answer"
    own = {node.path: names.OF_A_TURN & {node.name.lower()} for node in left if "." not in node.path}
    if format in ("text", "labelled") and any(own.values()):
        told = ", ".join(path for path, found in own.items() if found)
        return f"each record is one turn of a conversation, by {told}: want a record for each conversation"
    if why := several.unpaired(fields, records):
        return why
    answers = [
        node.path for node in left if node.has(shapes.scalar, least) and (node.rank(names.ANSWER) or (1,))[0] == 0
    ]
    if format == "text" and answers:
        return f"{answers[0]} may be the answer to {fields['text']}, and would be left out"
    if format == "text" and any(part.isdigit() for part in fields["text"].split(".")):
        return f"{fields['text']} is one of several texts"
    if format != "text" and (parts := parts_of_questions(left, least / 2)):
        return f"{', '.join(parts)} may belong to the question, and would be left out"
    return ""


def parts_of_questions(left: list[Node], least: float) -> list[str]:
    """Of values that are read by nothing the paths of those that may be part of a question, by their names."""
    texts = [node for node in left if node.has(shapes.text, least)]
    columns = [node.path for node in texts if choices.is_column(node.name)]
    return list(dict.fromkeys([*(n.path for n in texts if _is_part(n)), *(columns if len(columns) > 1 else ())]))


def _is_part(node: Node) -> bool:
    own = node.name.lower() if node.name.lower() not in names.SAYS_NOTHING else node.path.lower().split(".")[0]
    is_part = bool(names.OF_A_QUESTION & {own, own.removesuffix("s"), *words(own)[-1:]})
    return is_part and "id" not in words(own) and not node.is_code
