"""Figures of the rows for the datasheet: lengths, turns, system prompts, tools, reasoning, labels, duplicates."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from stages.answers.json_answer import fields
from stages.rows import parts
from stages.rows.display import answers, prompt_text, tool_name
from stages.rows.row import Content, Row

LabelOf = Callable[[Row], str | None]  # the label of a row, None if it has none
QUANTILES = {"half": 0.5, "nine_tenths": 0.9, "most": 0.99}


def label_function(labels: dict[str, Any] | None) -> LabelOf:
    """A function from a row to its label: None for rows other than chats, and for labels that `clean` did not count.

    Args:
        labels: {field, counts} from the report of `clean`; None if it looks for no labels.
    """
    counts, field = (labels["counts"], labels["field"]) if labels else ({}, None)

    def label_of(row: Row) -> str | None:
        if not counts or row.kind != "chat":
            return None
        answer = parts.split(row.content).answer[-1].content
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
    """{lengths: {kind: {part: statistics}}, turns: {n: rows}, system, tools, reasoning, masked, judged, labels}.

    System turns are not counted as turns. Of the system prompts and tools the most frequent `examples` are listed.
    """
    lengths: dict[str, dict[str, array]] = {}
    turns: Counter[int] = Counter()
    system_prompts: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    tools: Counter[str] = Counter()
    judged: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for row in rows:
        for part, text in measured_texts(row.content).items():
            lengths.setdefault(row.kind, {}).setdefault(part, array("q")).append(len(text))
        if row.kind == "text":
            continue
        split = parts.split(row.content)
        messages = [*split.prompt, *split.answer]
        turns[sum(message.role != "system" for message in messages)] += 1
        counts["system"] += any(message.role == "system" for message in messages)
        system_prompts.update({message.content for message in messages if message.role == "system"})
        tools.update({tool_name(schema) for schema in split.tools})
        masked = sum(message.role == "assistant" and not message.train for message in messages)
        counts["conversations"] += 1
        counts["tools"] += bool(split.tools)
        counts["calls"] += any(message.tool_calls for message in split.turns)
        counts["reasoning"] += any(message.reasoning_content for message in split.turns)
        counts["masked"] += bool(masked)
        counts["masked_turns"] += masked
        if row.kind == "judged":
            judged["good" if row.content.good else "bad"] += 1
        if (label := label_of(row)) is not None:
            labels[label] += 1
    return {
        "lengths": {kind: {part: length_statistics(values) for part, values in by_part.items()}
                    for kind, by_part in sorted(lengths.items())},
        "turns": {str(n): turns[n] for n in sorted(turns)},
        "system": {"rows": counts["system"], "of": counts["conversations"], "different": len(system_prompts),
                   "first": most_frequent(system_prompts)[:examples]},
        "tools": {"rows": counts["tools"], "calls": counts["calls"], "different": len(tools),
                  "first": most_frequent(tools)[:examples]},
        "reasoning": counts["reasoning"],
        "masked": {"rows": counts["masked"], "turns": counts["masked_turns"]},
        "judged": {"good": judged["good"], "bad": judged["bad"]},
        "labels": dict(most_frequent(labels)),
    }  # fmt: skip


def most_frequent(counts: Counter[str]) -> list[tuple[str, int]]:
    """The counts, largest first; equal ones in the order of their keys."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def measured_texts(content: Content) -> dict[str, str]:
    """{part: text} of the texts in a row whose lengths are measured separately."""
    question = {"question": prompt_text(content)} if parts.split(content).prompt else {}
    return question | answers(content)
