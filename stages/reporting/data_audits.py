"""Audits of the rows as a whole. Each shows rows that support its finding; none drops a row."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any, Literal

import msgspec

from stages.evaluating.json_answer import parse
from stages.params.data import Datasheet
from stages.reporting.data_facts import LabelOf, most_frequent
from stages.rows.display import answer_text, prompt_text
from stages.rows.row import Chat, Pair, Row, Text
from stages.similarity.shingles import plain

SHORT_CHARS = 64  # a longer answer is prose, where punctuation and capitals are no matter of format


class Example(msgspec.Struct, frozen=True):
    id: str
    why: str
    question: str
    answer: str


class Finding(msgspec.Struct, frozen=True):
    """Result of an audit; at level `ok` it has no examples."""

    audit: str
    level: Literal["ok", "warning", "serious"]
    message: str = msgspec.field(name="said")  # the name in datasheet.json
    examples: list[Example] = []


def example(row: Row, why: str, rejected: bool = False) -> Example:
    """A row to show, with its chosen or its rejected answer."""
    question = "" if isinstance(row.content, Text) else prompt_text(row.content)
    return Example(row.id, why, question, answer_text(row.content, rejected))


def _question_hash(row: Row) -> bytes:
    """Hash of the prompt and the tools, case and white space ignored."""
    tools = json.dumps(row.content.tools, sort_keys=True) if isinstance(row.content, Chat) else ""
    return hashlib.blake2b(plain(f"{prompt_text(row.content)}\n{tools}").encode("utf-8", "surrogatepass")).digest()


def _answer_hash(answer: str) -> str:
    """Hash of an answer, style ignored: case, white space, outer punctuation; in JSON also the order of keys."""
    value = parse(answer)
    text = plain(answer).strip(" .\"'") if value is None else json.dumps(value, sort_keys=True).lower()
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def conflicting_answers(rows: Sequence[Row], params: Datasheet) -> Finding:
    """Chats that answer one question differently; pairs that prefer what another pair of the question rejects."""
    audit = "conflicting answers"
    given: dict[tuple[str, bytes], dict[str, int]] = {}  # kind and question -> answer -> first row that gives it
    rejected: dict[tuple[str, bytes], dict[str, int]] = {}
    for index, row in enumerate(rows):
        if isinstance(row.content, Text):
            continue
        key = row.kind, _question_hash(row)
        given.setdefault(key, {}).setdefault(_answer_hash(answer_text(row.content)), index)
        if isinstance(row.content, Pair):
            rejected.setdefault(key, {}).setdefault(_answer_hash(answer_text(row.content, rejected=True)), index)
    conflicts: list[list[Example]] = []
    for key, answers in given.items():
        rejections = rejected.get(key, {})
        both = [(index, rejections[answer]) for answer, index in answers.items()
                if answer in rejections and index != rejections[answer]]  # fmt: skip
        if key[0] == "chat" and len(answers) > 1:
            first = list(answers.values())[:3]
            conflicts.append([example(rows[i], f"answer {n} of {len(answers)}") for n, i in enumerate(first, 1)])
        elif both:
            chosen_in, rejected_in = both[0]
            conflicts.append(
                [example(rows[chosen_in], "chosen"), example(rows[rejected_in], "rejected", rejected=True)]
            )
    if not conflicts:
        return Finding(audit, "ok", "No question has answers that contradict each other.")
    message = f"{len(conflicts):,} of {len(given):,} questions have different answers; a model can learn one at most."
    return Finding(audit, "warning", message, [one for group in conflicts[: params.examples] for one in group])


def length_of_pairs(rows: Iterable[Row], params: Datasheet) -> Finding:
    """Pairs whose chosen answer is nearly always the longer one, or the shorter one."""
    audit = "length of preferred answers"
    longer = shorter = same = 0
    examples: dict[str, list[Example]] = {"longer": [], "shorter": []}
    for row in rows:
        if not isinstance(row.content, Pair):
            continue
        chosen, rejected = len(answer_text(row.content)), len(answer_text(row.content, rejected=True))
        longer, shorter, same = longer + (chosen > rejected), shorter + (chosen < rejected), same + (chosen == rejected)
        shown = examples["longer" if chosen > rejected else "shorter"]
        if chosen != rejected and len(shown) < params.examples:
            shown.append(example(row, f"chosen {chosen:,} characters, rejected {rejected:,}"))
    total = longer + shorter + same
    if total < params.min_rows:
        return Finding(audit, "ok", f"{total:,} pairs: too few to tell.")
    side, most = ("longer", longer) if longer >= shorter else ("shorter", shorter)
    message = f"The chosen answer is the {side} one in {most:,} of {total:,} pairs"
    if most / total <= params.max_length_bias:
        return Finding(audit, "ok", f"{message}.")
    return Finding(audit, "warning", f"{message}: a model may learn the length alone.", examples[side])


def length_of_labels(rows: Iterable[Row], label_of: LabelOf, params: Datasheet) -> Finding:
    """Labels whose median answer is much longer or shorter than the median of all labels."""
    audit = "length of labels"
    lengths: dict[str, list[int]] = {}
    first: dict[str, Row] = {}
    for row in rows:
        if (label := label_of(row)) is not None:
            lengths.setdefault(label, []).append(len(answer_text(row.content)))
            first.setdefault(label, row)
    usual = median([n for of_label in lengths.values() for n in of_label] or [0])
    medians = {label: median(of_label) for label, of_label in sorted(lengths.items())}
    unusual = {
        label: middle
        for label, middle in medians.items()
        if len(lengths[label]) >= params.min_rows and max(middle, usual) > params.max_length_ratio * min(middle, usual)
    }
    if not unusual:
        return Finding(audit, "ok", f"{len(lengths):,} labels, and none has much longer or shorter answers.")
    shown = list(unusual.items())[: params.examples]
    named = ", ".join(f"{label} ({middle:g})" for label, middle in shown)
    message = (
        f"{len(unusual):,} of {len(lengths):,} labels have answers far from the usual {usual:g} characters: {named}."
    )
    examples = [example(first[label], f"{label}: {middle:g} characters") for label, middle in shown]
    return Finding(audit, "warning", message, examples)


def answer_style(answer: str) -> tuple[str, str] | None:
    """(answer without its style, style) of a JSON object or a short answer; None for prose."""
    value = parse(answer.strip().removeprefix("```json").removeprefix("```").removesuffix("```"))
    if isinstance(value, dict) and value:
        stripped = answer.strip()
        fence = "in a code block, " if stripped.startswith("```") else ""
        if "\n" in stripped.removeprefix("```json").strip("`\n"):
            spacing = "over several lines"
        elif stripped == json.dumps(value, separators=(",", ":"), ensure_ascii=False):
            spacing = "without spaces"
        else:
            spacing = "with spaces"
        return f"JSON of {', '.join(sorted(value))}", f"{fence}{spacing}, {', '.join(value)} in this order"
    if len(answer) > SHORT_CHARS or "\n" in answer.strip():
        return None
    return answer.strip().strip(".").strip("\"'").rstrip(".").lower(), answer


def mixed_styles(rows: Iterable[Row], params: Datasheet) -> Finding:
    """One format in several styles: spaces or order of keys in JSON; capitals, quotes, full stops in short answers."""
    styles: dict[tuple[str, str], Counter[str]] = {}  # kind and answer without its style -> style -> rows
    first: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        if isinstance(row.content, Text) or (styled := answer_style(answer_text(row.content))) is None:
            continue
        answer, style = styled
        styles.setdefault((row.kind, answer), Counter())[style] += 1
        first.setdefault((row.kind, answer, style), row)
    mixed = sorted(((key, counts) for key, counts in styles.items() if len(counts) > 1),
                   key=lambda item: (-item[1].total(), item[0]))  # fmt: skip
    if not mixed:
        return Finding("styles", "ok", "Answers of one format are in one style.")
    examples = [
        example(first[*key, style], f"{n:,} of {counts.total():,} {key[0]} rows: {style}")
        for key, counts in mixed[: params.examples]
        for style, n in most_frequent(counts)[:3]
    ]
    unusual = sum(counts.total() - max(counts.values()) for _, counts in mixed)
    formats = "format is" if len(mixed) == 1 else "formats are"
    message = f"{len(mixed):,} {formats} in more than one style; {unusual:,} rows are not in the usual one of theirs."
    return Finding("styles", "warning", message, examples)


def dominant_label(rows: Iterable[Row], label_of: LabelOf, params: Datasheet) -> Finding:
    """A label that has more than its share of the rows with a label."""
    audit = "dominated labels"
    counts: Counter[str] = Counter()
    first: dict[str, list[Row]] = {}
    for row in rows:
        if (label := label_of(row)) is not None:
            counts[label] += 1
            if counts[label] <= params.examples:
                first.setdefault(label, []).append(row)
    if counts.total() < params.min_rows:
        return Finding(audit, "ok", f"{counts.total():,} rows with a label: too few to tell.")
    label, most = most_frequent(counts)[0]
    message = f"{label} has {most:,} of {counts.total():,} rows, the most of {len(counts):,} labels."
    if most / counts.total() <= params.max_label_share:
        return Finding(audit, "ok", message)
    return Finding(audit, "warning", message, [example(row, label) for row in first[label]])


def many_duplicates(report: dict[str, Any], kept: Iterable[str], rows: Sequence[Row], params: Datasheet) -> Finding:
    """The share of rows that `dedup` dropped.

    Args:
        report: of `dedup`.
        kept: for each duplicate, the id of the row that was kept in its place.
    """
    dropped = sum(report["dropped"].values())
    share = dropped / report["in"] if report["in"] else 0.0
    message = f"{dropped:,} of {report['in']:,} rows ({100 * share:.1f} %) said again what another row says."
    notable, serious = params.max_duplicates
    if share <= notable:
        return Finding("duplicates", "ok", message)
    sizes = Counter(kept)
    indices = {row.id: index for index, row in enumerate(rows) if row.id in sizes}
    largest = [id for id, _ in most_frequent(sizes) if id in indices][: params.examples]
    examples = [example(rows[indices[id]], f"stands for {sizes[id] + 1:,} rows") for id in largest]
    return Finding("duplicates", "serious" if share > serious else "warning", message, examples)
