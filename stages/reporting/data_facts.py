"""Rows in numbers: lengths, turns, system prompts, tools, labels, clusters of duplicates."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from stages.evaluating.json_answer import fields
from stages.rows.display import answer_text, prompt_text
from stages.rows.row import Chat, Pair, Row, Text

SHARES = {"half": 0.5, "nine_tenths": 0.9, "most": 0.99}  # of the rows are no longer


def labeller(balance: dict[str, Any] | None) -> Callable[[Row], str | None]:
    """What gives a chat's label, as `clean` reported them; None for any row where it looked for none."""
    known, field = (balance["counts"], balance["field"]) if balance else ({}, None)

    def label(row: Row) -> str | None:
        if not known or not isinstance(row.content, Chat):
            return None
        answer = row.content.messages[-1].content
        found = str(answer if field is None else fields(answer).get(field))
        return found if found in known else None

    return label


def lengths(numbers: Iterable[int]) -> dict[str, Any]:
    """{rows, shortest, half, nine_tenths, most, longest, bins}: characters; a bin is [below, rows], its end twice the
    one before."""
    found = sorted(numbers)
    if not found:
        return {"rows": 0, "bins": []}
    cuts = {name: found[min(len(found) - 1, int(share * len(found)))] for name, share in SHARES.items()}
    bins = Counter(number.bit_length() for number in found)
    shown = [[1 << bits, bins[bits]] for bits in range(min(bins), max(bins) + 1)]
    return {"rows": len(found), "shortest": found[0], **cuts, "longest": found[-1], "bins": shown}


def clusters(kept: Iterable[str]) -> dict[int, int]:
    """{rows of a cluster: clusters}, given for every duplicate the row that stands for it."""
    sizes = Counter(Counter(kept).values())
    return {size + 1: sizes[size] for size in sorted(sizes)}


def tell(found: Iterable[Row], label: Callable[[Row], str | None], shown: int) -> dict[str, Any]:
    """{lengths: {kind: {part: …}}, turns: {n: rows}, system, tools, labels}; turns leave system turns out."""
    measured: dict[str, dict[str, array]] = {}
    turns: Counter[int] = Counter()
    systems: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    conversations = tools = 0
    for row in found:
        content = row.content
        for part, text in parts(content).items():
            measured.setdefault(row.kind, {}).setdefault(part, array("q")).append(len(text))
        if isinstance(content, Text):
            continue
        conversations += 1
        messages = content.messages if isinstance(content, Chat) else [*content.prompt, *content.chosen]
        turns[sum(message.role != "system" for message in messages)] += 1
        systems.update({message.content for message in messages if message.role == "system"})
        tools += isinstance(content, Chat) and bool(content.tools)
        if (name := label(row)) is not None:
            labels[name] += 1
    first = sorted(systems.items(), key=lambda item: (-item[1], item[0]))
    return {
        "lengths": {k: {part: lengths(n) for part, n in named.items()} for k, named in sorted(measured.items())},
        "turns": {str(n): turns[n] for n in sorted(turns)},
        "system": {"rows": systems.total(), "of": conversations, "different": len(systems), "first": first[:shown]},
        "tools": tools,
        "labels": dict(sorted(labels.items(), key=lambda item: (-item[1], item[0]))),
    }


def parts(content: Chat | Pair | Text) -> dict[str, str]:
    """The texts of a row whose lengths are told apart."""
    if isinstance(content, Text):
        return {"text": content.text}
    if isinstance(content, Chat):
        return {"question": prompt_text(content), "answer": answer_text(content)}
    question, chosen = prompt_text(content), answer_text(content)
    return {"question": question, "chosen": chosen, "rejected": answer_text(content, rejected=True)}
