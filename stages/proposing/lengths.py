"""Lengths in tokens: what a model must read at once so that no row is dropped, and how much there is to train on."""

from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from stages.rows import parts
from stages.rows.row import Content, Row
from stages.rows.texts import characters
from stages.training import corpus

COUNTED = 1500  # of the longest rows, and as many of all, whose tokens are counted
MARGIN = 1.15  # a tiny model's tokenizer is trained later, on the rows of train alone
STEP = 64  # tokens; lengths are multiples of it
LARGE_TEXT = 300_000  # characters to pretrain on, from which a larger vocabulary pays


class Lengths(NamedTuple):
    reason: str
    max_length: int  # tokens of a row
    new_tokens: int  # of an answer
    context_tokens: int  # of a row, and of a question with the longest answer
    mean_tokens: dict[str, float]  # of a row, by kind
    source: tuple[str, int]  # (kind of rows that has the most text to pretrain on, its characters)
    vocab_size: int
    max_chars: int | None  # of a row that the model can read; None: it can read all


def source(rows: list[Row]) -> tuple[str, int]:
    """(kind of rows with the most text that a tiny model is pretrained on, its characters)."""
    characters: dict[str, int] = defaultdict(int)
    for row in rows:
        characters[row.kind] += sum(map(len, corpus.texts(row.content)))
    return max(characters.items(), key=lambda item: item[1])


def vocab_size(characters: int) -> int:
    return 2048 if characters >= LARGE_TEXT else 1024


def measure(rows: list[Row], count: Callable[[Content], int], encode: Callable[[str], int], most: int,
            found: tuple[str, int]) -> Lengths:  # fmt: skip
    """The lengths that rows need.

    Args:
        count: tokens of a row as training counts them.
        encode: tokens of a text.
        most: tokens of a question and its answer that the model can read, or that time allows.
        found: what `source` returns.
    """
    by_size = sorted(rows, key=lambda row: -characters(row.content))
    counted = {row.id: row for row in (*by_size[:COUNTED], *rows[:: max(1, len(rows) // COUNTED)])}
    tokens = {id: count(row.content) for id, row in counted.items()}
    longest = max(tokens.values())
    answered = [message for row in by_size[:COUNTED] for message in parts.split(row.content).answer]
    longest_answer = max((encode(message.content + _calls(message)) for message in answered), default=1)
    means = defaultdict(list)
    for row in rows[:: max(1, len(rows) // COUNTED)]:
        means[row.kind].append(tokens[row.id])
    wanted = _rounded(longest * MARGIN)
    new_tokens = min(_rounded(longest_answer * MARGIN, 8), max(16, min(wanted, most) // 2), 256)
    max_length, max_chars = min(wanted, most - new_tokens), None
    reason = f"the longest row has about {longest} tokens"
    if wanted > max_length and (over := [id for id, n in tokens.items() if n * MARGIN > max_length]):
        max_chars = min(characters(counted[id].content) for id in over) - 1
        dropped = sum(characters(row.content) > max_chars for row in rows)
        reason += f", the model reads {most}: clean drops {dropped} rows of more than {max_chars:,} characters"
    return Lengths(
        reason, max_length, new_tokens, min(most, _rounded(max_length + new_tokens)),
        {kind: sum(found) / len(found) for kind, found in means.items()}, found, vocab_size(found[1]), max_chars,
    )  # fmt: skip


def _calls(message: msgspec.Struct) -> str:
    return msgspec.json.encode(message.tool_calls).decode() if message.tool_calls else ""


def _rounded(tokens: float, step: int = STEP) -> int:
    """The next multiple of `step`."""
    return max(step, -int(-tokens // step) * step)
