"""Audits of the rows as a whole. Each shows rows that support its finding; none drops a row.

An audit that finds nothing among fewer rows than `min_rows` does not say `ok`: they are too few to tell.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any, Literal

import msgspec

from stages.answers.json_answer import parse
from stages.params.data import Datasheet
from stages.reporting.data_facts import LabelOf, most_frequent
from stages.rows import parts
from stages.rows.display import answer_text, prompt_text, spoken
from stages.rows.row import Message, Row
from stages.similarity.shingles import plain

SHORT_CHARS = 64  # a longer answer is prose, where punctuation and capitals are no matter of format


class Example(msgspec.Struct, frozen=True):
    id: str
    why: str
    question: str
    answer: str


class Finding(msgspec.Struct, frozen=True):
    """Result of an audit; at levels `ok` and `too_few` it has no examples."""

    audit: str
    level: Literal["ok", "too_few", "warning", "serious"]
    message: str
    examples: list[Example] = []


def example(row: Row, why: str, rejected: bool = False) -> Example:
    """A row to show, with its chosen or its rejected answer."""
    return Example(row.id, why, prompt_text(row.content), answer_text(row.content, rejected))


def nothing_found(audit: str, examined: int, unit: str, message: str, params: Datasheet) -> Finding:
    """The finding `ok`, or `too_few` if the audit had fewer rows, questions or labels than `min_rows`."""
    if examined < params.min_rows:
        return Finding(audit, "too_few", f"{examined:,} {unit}: too few to tell.")
    return Finding(audit, "ok", message)


def _question_hash(row: Row) -> bytes:
    """Hash of the prompt and the tools, case and white space ignored."""
    tools = json.dumps(parts.split(row.content).tools, sort_keys=True)
    return hashlib.blake2b(plain(f"{prompt_text(row.content)}\n{tools}").encode("utf-8", "surrogatepass")).digest()


def spoken_text(turns: list[Message]) -> str:
    """An answer without its reasoning, which may be another for the same answer."""
    return "\n".join(map(spoken, turns))


def _answer_hash(turns: list[Message]) -> str:
    """Hash of an answer, style ignored: case, white space, outer punctuation; in JSON also the order of keys."""
    answer = spoken_text(turns)
    value = parse(answer)
    text = plain(answer).strip(" .\"'") if value is None else json.dumps(value, sort_keys=True).lower()
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def conflicting_answers(rows: Sequence[Row], params: Datasheet) -> Finding:
    """Chats that answer one question differently; pairs and judged answers that reject what another one prefers."""
    audit = "conflicting answers"
    given: dict[tuple[str, bytes], dict[str, int]] = {}  # kind and question -> answer -> first row that gives it
    rejected: dict[tuple[str, bytes], dict[str, int]] = {}
    for index, row in enumerate(rows):
        if row.kind == "text":
            continue
        key, split = (row.kind, _question_hash(row)), parts.split(row.content)
        bad = row.kind == "judged" and not row.content.good
        given.setdefault(key, {})
        if not bad:
            given[key].setdefault(_answer_hash(split.answer), index)
        if bad or split.rejected:
            rejected.setdefault(key, {}).setdefault(_answer_hash(split.answer if bad else split.rejected), index)
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
            names = ("good", "bad") if key[0] == "judged" else ("chosen", "rejected")
            conflicts.append(
                [example(rows[chosen_in], names[0]), example(rows[rejected_in], names[1], rejected=key[0] == "pair")]
            )
    if not conflicts:
        return nothing_found(
            audit, len(given), "questions", "No question has answers that contradict each other.", params
        )
    message = f"{len(conflicts):,} of {len(given):,} questions have different answers; a model can learn one at most."
    return Finding(audit, "warning", message, [one for group in conflicts[: params.examples] for one in group])


def conflicts_of_like_questions(
    report: dict[str, Any], conflicts: Sequence[tuple[str, str, float]], rows: Sequence[Row], params: Datasheet
) -> Finding:
    """Rows whose question is like that of another row, and that say something else, as `dedup` found them.

    Args:
        report: of `dedup`.
        conflicts: (id, id of the other row, similarity of the questions); rows that later stages dropped are not shown.
    """
    audit = "like questions, other answers"
    if not conflicts:
        return nothing_found(
            audit, report["out"], "rows", "No row asks nearly what another one asks otherwise.", params
        )
    wanted = {id for conflict in conflicts for id in conflict[:2]}
    indices = {row.id: index for index, row in enumerate(rows) if row.id in wanted}
    pairs = {tuple(sorted(conflict[:2])): conflict[2] for conflict in conflicts}
    shown = sorted((pair for pair in pairs if indices.keys() >= set(pair)), key=lambda pair: (-pairs[pair], pair))
    examples = [
        example(rows[indices[id]], f"questions {100 * pairs[pair]:.0f} % alike")
        for pair in shown[: params.examples]
        for id in pair
    ]
    message = (
        f"{len(conflicts):,} of {report['out']:,} rows ask nearly what another row asks, and answer otherwise or "
        "differ in a word that counts; dedup keeps them, but for dedup.conflicting: drop."
    )
    return Finding(audit, "warning", message, examples)


def length_of_pairs(rows: Iterable[Row], params: Datasheet) -> Finding:
    """Pairs whose chosen answer is nearly always the longer one, or the shorter one."""
    audit = "length of preferred answers"
    longer = shorter = same = 0
    examples: dict[str, list[Example]] = {"longer": [], "shorter": []}
    for row in rows:
        if row.kind != "pair":
            continue
        split = parts.split(row.content)
        chosen, rejected = len(spoken_text(split.answer)), len(spoken_text(split.rejected))
        longer, shorter, same = longer + (chosen > rejected), shorter + (chosen < rejected), same + (chosen == rejected)
        shown = examples["longer" if chosen > rejected else "shorter"]
        if chosen != rejected and len(shown) < params.examples:
            shown.append(example(row, f"chosen {chosen:,} characters, rejected {rejected:,}"))
    total = longer + shorter + same
    if total < params.min_rows:
        return Finding(audit, "too_few", f"{total:,} pairs: too few to tell.")
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
            lengths.setdefault(label, []).append(len(spoken_text(parts.split(row.content).answer)))
            first.setdefault(label, row)
    usual = median([n for of_label in lengths.values() for n in of_label] or [0])
    medians = {label: median(of_label) for label, of_label in sorted(lengths.items())}
    large = {label: middle for label, middle in medians.items() if len(lengths[label]) >= params.min_rows}
    unusual = {
        label: middle
        for label, middle in large.items()
        if max(middle, usual) > params.max_length_ratio * min(middle, usual)
    }
    if not large:
        return Finding(
            audit, "too_few", f"{len(lengths):,} labels, none with {params.min_rows:,} rows: too few to tell."
        )
    if not unusual:
        of_all = f"{len(large):,} of {len(lengths):,} labels have at least {params.min_rows:,} rows"
        return Finding(audit, "ok", f"{of_all}, and none of these has much longer or shorter answers.")
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
        if row.kind == "text" or (styled := answer_style(spoken_text(parts.split(row.content).answer))) is None:
            continue
        answer, style = styled
        styles.setdefault((row.kind, answer), Counter())[style] += 1
        first.setdefault((row.kind, answer, style), row)
    mixed = sorted(((key, counts) for key, counts in styles.items() if len(counts) > 1),
                   key=lambda item: (-item[1].total(), item[0]))  # fmt: skip
    if not mixed:
        formatted = sum(counts.total() for counts in styles.values())
        unit = "short answers and JSON objects"
        return nothing_found("styles", formatted, unit, "Answers of one format are in one style.", params)
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
        return Finding(audit, "too_few", f"{counts.total():,} rows with a label: too few to tell.")
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
    if share <= notable or report["in"] < params.min_rows:
        return nothing_found("duplicates", report["in"], "rows", message, params)
    sizes = Counter(kept)
    indices = {row.id: index for index, row in enumerate(rows) if row.id in sizes}
    largest = [id for id, _ in most_frequent(sizes) if id in indices][: params.examples]
    examples = [example(rows[indices[id]], f"stands for {sizes[id] + 1:,} rows") for id in largest]
    return Finding("duplicates", "serious" if share > serious else "warning", message, examples)
