"""Figures of the rows for the datasheet: lengths, turns, system prompts, tools, labels, clusters of duplicates."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from stages.evaluating.json_answer import fields
from stages.rows.display import answer_text, prompt_text
from stages.rows.row import Chat, Content, Pair, Row, Text

LabelOf = Callable[[Row], str | None]  # the label of a row, None if it has none
QUANTILES = {"half": 0.5, "nine_tenths": 0.9, "most": 0.99}


def label_function(labels: dict[str, Any] | None) -> LabelOf:
    """A function from a row to its label: None for rows other than chats, and for labels that `clean` did not count.

    Args:
        labels: {field, counts} from the report of `clean`; None if it looks for no labels.
    """
    counts, field = (labels["counts"], labels["field"]) if labels else ({}, None)

    def label_of(row: Row) -> str | None:
        if not counts or not isinstance(row.content, Chat):
            return None
        answer = row.content.messages[-1].content
        label = str(answer if field is None else fields(answer).get(field))
        return label if label in counts else None

    return label_of


def length_statistics(lengths: Iterable[int]) -> dict[str, Any]:
    """{rows, shortest, half, nine_tenths, most, longest, bins} of lengths in characters.

    bins: [[end, rows]], each end exclusive and twice the one before.
    """
    ordered = sorted(lengths)
    if not ordered:
        return {"rows": 0, "bins": []}
    quantiles = {name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for name, share in QUANTILES.items()}
    counts = Counter(length.bit_length() for length in ordered)
    bins = [[1 << bits, counts[bits]] for bits in range(min(counts), max(counts) + 1)]
    return {"rows": len(ordered), "shortest": ordered[0], **quantiles, "longest": ordered[-1], "bins": bins}


def cluster_sizes(kept: Iterable[str]) -> dict[int, int]:
    """{rows in a cluster: number of clusters}.

    Args:
        kept: for each duplicate, the id of the row that was kept in its place.
    """
    sizes = Counter(Counter(kept).values())
    return {size + 1: sizes[size] for size in sorted(sizes)}  # the kept row counts too


def facts(rows: Iterable[Row], label_of: LabelOf, examples: int) -> dict[str, Any]:
    """{lengths: {kind: {part: statistics}}, turns: {n: rows}, system, tools, labels: {label: rows}}.

    System turns are not counted as turns. Of the system prompts the most frequent `examples` are listed.
    """
    lengths: dict[str, dict[str, array]] = {}
    turns: Counter[int] = Counter()
    system_prompts: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    conversations = tools = 0
    for row in rows:
        content = row.content
        for part, text in parts(content).items():
            lengths.setdefault(row.kind, {}).setdefault(part, array("q")).append(len(text))
        if isinstance(content, Text):
            continue
        conversations += 1
        messages = content.messages if isinstance(content, Chat) else [*content.prompt, *content.chosen]
        turns[sum(message.role != "system" for message in messages)] += 1
        system_prompts.update({message.content for message in messages if message.role == "system"})
        tools += isinstance(content, Chat) and bool(content.tools)
        if (label := label_of(row)) is not None:
            labels[label] += 1
    first = most_frequent(system_prompts)[:examples]
    return {
        "lengths": {kind: {part: length_statistics(values) for part, values in by_part.items()}
                    for kind, by_part in sorted(lengths.items())},
        "turns": {str(n): turns[n] for n in sorted(turns)},
        "system": {"rows": system_prompts.total(), "of": conversations, "different": len(system_prompts),
                   "first": first},
        "tools": tools,
        "labels": dict(most_frequent(labels)),
    }  # fmt: skip


def most_frequent(counts: Counter[str]) -> list[tuple[str, int]]:
    """The counts, largest first; equal ones in the order of their keys."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def parts(content: Content) -> dict[str, str]:
    """{part: text} of the texts in a row whose lengths are measured separately."""
    if isinstance(content, Text):
        return {"text": content.text}
    question, answer = prompt_text(content), answer_text(content)
    if isinstance(content, Pair):
        return {"question": question, "chosen": answer, "rejected": answer_text(content, rejected=True)}
    return {"question": question, "answer": answer}
