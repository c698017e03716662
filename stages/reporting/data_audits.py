"""What may be wrong with rows as a whole, each told with rows that show it; no audit drops a row."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any, Literal

import msgspec

from stages.evaluating.json_answer import parse
from stages.params.data import Datasheet
from stages.rows.display import answer_text, prompt_text
from stages.rows.row import Chat, Pair, Row, Text
from stages.similarity.shingles import plain

Label = Callable[[Row], str | None]
SHORT = 64  # characters; a longer answer is prose, whose signs and capitals are its own


class Example(msgspec.Struct, frozen=True):
    id: str
    why: str
    question: str
    answer: str


class Finding(msgspec.Struct, frozen=True):
    """What an audit found; `ok` has no examples."""

    audit: str
    level: Literal["ok", "warning", "serious"]
    said: str
    examples: list[Example] = []


def example(row: Row, why: str, rejected: bool = False) -> Example:
    question = "" if isinstance(row.content, Text) else prompt_text(row.content)
    return Example(row.id, why, question, answer_text(row.content, rejected))


def _key(row: Row) -> bytes:
    """What is the same in rows that ask the same, case and white space aside."""
    tools = json.dumps(row.content.tools, sort_keys=True) if isinstance(row.content, Chat) else ""
    return hashlib.blake2b(plain(f"{prompt_text(row.content)}\n{tools}").encode("utf-8", "surrogatepass")).digest()


def _meant(answer: str) -> str:
    """What is the same in answers that say the same in another style."""
    value = parse(answer)
    said = plain(answer).strip(" .\"'") if value is None else json.dumps(value, sort_keys=True).lower()
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def conflicts(found: Sequence[Row], params: Datasheet) -> Finding:
    """Chats that answer one question differently; pairs that prefer what another pair of their question rejects."""
    answers: dict[tuple[str, bytes], dict[str, list[int]]] = {}
    refused: dict[tuple[str, bytes], dict[str, list[int]]] = {}
    for index, row in enumerate(found):
        if isinstance(row.content, Text):
            continue
        key = row.kind, _key(row)
        answers.setdefault(key, {}).setdefault(_meant(answer_text(row.content)), []).append(index)
        if isinstance(row.content, Pair):
            meant = _meant(answer_text(row.content, rejected=True))
            refused.setdefault(key, {}).setdefault(meant, []).append(index)
    questions, shown = 0, []
    for key, given in answers.items():
        rejected = refused.get(key, {})
        both = [(given[meant][0], rejected[meant][0]) for meant in given if meant in rejected
                and given[meant][0] != rejected[meant][0]]  # fmt: skip
        if key[0] == "chat" and len(given) > 1:
            questions += 1
            shown += [
                [example(found[i[0]], f"answer {n} of {len(given)}") for n, i in enumerate(given.values(), 1)][:3]
            ]
        elif both:
            questions += 1
            chosen, other = both[0]
            shown += [[example(found[chosen], "chosen"), example(found[other], "rejected", rejected=True)]]
    examples = [one for group in shown[: params.examples] for one in group]
    if not questions:
        return Finding("conflicting answers", "ok", "No question has answers that contradict each other.")
    return Finding(
        "conflicting answers", "warning",
        f"{questions:,} of {len(answers):,} questions have different answers; a model can learn one at most.", examples,
    )  # fmt: skip


def length_of_pairs(found: Iterable[Row], params: Datasheet) -> Finding:
    """Whether length alone tells the chosen answer from the rejected one."""
    longer = shorter = same = 0
    shown: dict[bool, list[Example]] = {True: [], False: []}
    for row in found:
        if not isinstance(row.content, Pair):
            continue
        chosen, rejected = len(answer_text(row.content)), len(answer_text(row.content, rejected=True))
        longer, shorter, same = longer + (chosen > rejected), shorter + (chosen < rejected), same + (chosen == rejected)
        side = shown[chosen > rejected]
        if chosen != rejected and len(side) < params.examples:
            side.append(example(row, f"chosen {chosen:,} characters, rejected {rejected:,}"))
    total = longer + shorter + same
    if total < params.min_rows:
        return Finding("length of preferred answers", "ok", f"{total:,} pairs: too few to tell.")
    way, most = ("longer", longer) if longer >= shorter else ("shorter", shorter)
    said = f"The chosen answer is the {way} one in {most:,} of {total:,} pairs"
    if most / total <= params.max_length_bias:
        return Finding("length of preferred answers", "ok", f"{said}.")
    return Finding(
        "length of preferred answers", "warning", f"{said}: a model may learn the length alone.", shown[way == "longer"]
    )


def length_of_labels(found: Iterable[Row], label: Label, params: Datasheet) -> Finding:
    """Whether the answers of a label are much longer or shorter than answers are."""
    by_label: dict[str, list[int]] = {}
    first: dict[str, list[Row]] = {}
    for row in found:
        if (name := label(row)) is not None:
            by_label.setdefault(name, []).append(len(answer_text(row.content)))
            seen = first.setdefault(name, [])
            seen += [row] if len(seen) < params.examples else []
    usual = median([n for numbers in by_label.values() for n in numbers] or [0])
    odd = []
    for name, numbers in sorted(by_label.items()):
        middle = median(numbers)
        if len(numbers) >= params.min_rows and max(middle, usual) > params.max_length_ratio * min(middle, usual):
            odd.append((name, middle))
    if not odd:
        return Finding(
            "length of labels", "ok", f"{len(by_label):,} labels, and none has much longer or shorter answers."
        )
    told = ", ".join(f"{name} ({middle:g})" for name, middle in odd[: params.examples])
    said = f"{len(odd):,} of {len(by_label):,} labels have answers far from the usual {usual:g} characters: {told}."
    examples = [example(first[name][0], f"{name}: {middle:g} characters") for name, middle in odd[: params.examples]]
    return Finding("length of labels", "warning", said, examples)


def spelling(answer: str) -> tuple[str, str] | None:
    """(what is answered, in which style) of a JSON object, or of a short answer; None of prose."""
    value = parse(answer.strip().removeprefix("```json").removeprefix("```").removesuffix("```"))
    if isinstance(value, dict) and value:
        fence = "in a code block, " if answer.strip().startswith("```") else ""
        bare = answer.strip()
        if "\n" in bare.removeprefix("```json").strip("`\n"):
            space = "over several lines"
        elif bare == json.dumps(value, separators=(",", ":"), ensure_ascii=False):
            space = "without spaces"
        else:
            space = "with spaces"
        return f"JSON of {', '.join(sorted(value))}", f"{fence}{space}, {', '.join(value)} in this order"
    if len(answer) > SHORT or "\n" in answer.strip():
        return None
    return f"{answer.strip().strip('.').strip(chr(34) + chr(39)).rstrip('.').lower()}", answer


def styles(found: Iterable[Row], params: Datasheet) -> Finding:
    """One format in several styles: spaces or order of keys in JSON; capitals, quotes, full stops in short answers."""
    seen: dict[tuple[str, str], Counter[str]] = {}
    first: dict[tuple[str, str, str], Row] = {}
    for row in found:
        if isinstance(row.content, Text) or (spelt := spelling(answer_text(row.content))) is None:
            continue
        meant, style = spelt
        seen.setdefault((row.kind, meant), Counter())[style] += 1
        first.setdefault((row.kind, meant, style), row)
    mixed = sorted(((key, count) for key, count in seen.items() if len(count) > 1),
                   key=lambda item: (-item[1].total(), item[0]))  # fmt: skip
    if not mixed:
        return Finding("styles", "ok", "Answers of one format are in one style.")
    examples = [
        example(first[*key, style], f"{n:,} of {count.total():,} {key[0]} rows: {style}")
        for key, count in mixed[: params.examples]
        for style, n in sorted(count.items(), key=lambda item: (-item[1], item[0]))[:3]
    ]
    rest = sum(count.total() - max(count.values()) for _, count in mixed)
    several = "format is" if len(mixed) == 1 else "formats are"
    said = f"{len(mixed):,} {several} in more than one style; {rest:,} rows are not in the usual one of theirs."
    return Finding("styles", "warning", said, examples)


def dominated(found: Iterable[Row], label: Label, params: Datasheet) -> Finding:
    """Whether one label has most of the rows."""
    counts: Counter[str] = Counter()
    first: dict[str, list[Row]] = {}
    for row in found:
        if (name := label(row)) is not None:
            counts[name] += 1
            seen = first.setdefault(name, [])
            seen += [row] if len(seen) < params.examples else []
    if counts.total() < params.min_rows:
        return Finding("dominated labels", "ok", f"{counts.total():,} rows with a label: too few to tell.")
    name, most = min(counts.items(), key=lambda item: (-item[1], item[0]))
    said = f"{name} has {most:,} of {counts.total():,} rows, the most of {len(counts):,} labels."
    if most / counts.total() <= params.max_label_share:
        return Finding("dominated labels", "ok", said)
    return Finding("dominated labels", "warning", said, [example(row, name) for row in first[name]])


def duplicates(counts: dict[str, Any], kept: Iterable[str], found: Sequence[Row], params: Datasheet) -> Finding:
    """How many rows said again what others say, given dedup's report and for each of them the row that was kept."""
    dropped = sum(counts["dropped"].values())
    share = dropped / counts["in"] if counts["in"] else 0.0
    said = f"{dropped:,} of {counts['in']:,} rows ({100 * share:.1f} %) said again what another row says."
    notable, serious = params.max_duplicates
    if share <= notable:
        return Finding("duplicates", "ok", said)
    sizes = Counter(kept)
    largest = dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))
    there = {row.id: index for index, row in enumerate(found) if row.id in sizes}
    shown = [id for id in largest if id in there][: params.examples]
    examples = [example(found[there[id]], f"stands for {sizes[id] + 1:,} rows") for id in shown]
    return Finding("duplicates", "serious" if share > serious else "warning", said, examples)
