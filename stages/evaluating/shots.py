"""Questions as a model is asked them that was not trained for them: after instructions, and after examples."""

import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from modelmake.errors import UserError
from stages.evaluating.questions import questions
from stages.params.alternatives import Alternative, Seeded, Shots
from stages.rows import jsonl, parts
from stages.rows.row import Row
from stages.rows.template_messages import template_messages
from stages.similarity.shingles import plain, shingles

CHARS = 5  # of a shingle
COLUMNS = 1 << 22  # that hashes of shingles share
BLOCK = 256  # questions that are compared at once

Messages = list[dict[str, Any]]


class Asked(NamedTuple):
    conversations: list[dict[str, Any]]  # {messages, tools} of each row
    shown: list[list[str]]  # ids of its examples, in their order
    held_out: int  # examples that are not shown: they are among the rows, or ask what one of them asks


def asked(rows: list[Row], examples: Path, params: Alternative) -> Asked:
    """What is asked instead of the questions of `rows`.

    Raises:
        UserError: there are fewer examples than are to be shown, but for those that are held out.
    """
    own = questions(rows)
    shown: list[list[Row]] = [[] for _ in rows]
    held_out = 0
    if params.shots:
        ids, asks = {row.id for row in rows}, {plain(_asks(row)) for row in rows}
        single = [row for row in jsonl.iter_rows(examples) if is_usable(row)]
        usable = [row for row in single if row.id not in ids and plain(_asks(row)) not in asks]
        held_out = len(single) - len(usable)
        if len(usable) < params.shots.n:
            without = f", without {held_out} that are held out" if held_out else ""
            raise UserError(
                f"{examples}: {len(usable)} examples of one question and its answer, without tools{without}: want at "
                f"least shots.n = {params.shots.n}"
            )
        shown = choose(rows, usable, params.shots)
    turns = [[turn for row in of_row for turn in _turns(row)] for of_row in shown]
    conversations = [
        {**question, "messages": _messages(question["messages"], of_row, params.instructions)}
        for question, of_row in zip(own, turns, strict=True)
    ]
    return Asked(conversations, [[row.id for row in of_row] for of_row in shown], held_out)


def is_usable(row: Row) -> bool:
    """True for a chat of one question and its answer, in words."""
    split = parts.split(row.content)
    roles = [turn.role for turn in (*split.prompt, *split.answer) if turn.role != "system"]
    return row.kind == "chat" and roles == ["user", "assistant"] and not split.tools and not split.answer[0].tool_calls


def choose(rows: list[Row], usable: list[Row], shots: Shots) -> list[list[Row]]:
    """The examples of each row, in the order in which they are shown."""
    if isinstance(shots, Seeded):
        first = sorted(usable, key=lambda row: hashlib.sha256(f"{shots.seed} {row.id}".encode()).digest())[: shots.n]
        return [first] * len(rows)
    usable = sorted(usable, key=lambda row: row.id)  # of those that are equally alike the first by id
    of_rows, of_examples = (_letters([_asks(row) for row in some]) for some in (rows, usable))
    sizes = np.diff(of_examples.indptr)
    chosen = []
    for start in range(0, len(rows), BLOCK):
        block = of_rows[start : start + BLOCK]
        common = (block @ of_examples.T).toarray()  # (rows, examples)
        alike = common / (np.diff(block.indptr)[:, None] + sizes - common)
        best = np.argsort(-alike, axis=1, kind="stable")[:, : shots.n]
        chosen += [[usable[place] for place in of_row[::-1]] for of_row in best]
    return chosen


def _asks(row: Row) -> str:
    """The last question of a row."""
    return next((turn.content for turn in reversed(parts.split(row.content).prompt) if turn.role == "user"), "")


def _letters(texts: Sequence[str]) -> Any:
    """(texts, COLUMNS): 1 for each shingle of a text."""
    columns = [sorted({zlib.crc32(shingle.encode()) % COLUMNS for shingle in shingles(text, CHARS)}) for text in texts]
    ends = np.cumsum([0, *map(len, columns)])
    places = np.fromiter((column for of_text in columns for column in of_text), np.int64, ends[-1])
    return sparse.csr_array((np.ones(len(places), np.int32), places, ends), shape=(len(texts), COLUMNS))


def _turns(row: Row) -> Messages:
    """An example as turns, without its system message."""
    split = parts.split(row.content)
    return [turn for turn in template_messages([*split.prompt, *split.answer]) if turn["role"] != "system"]


def _messages(own: Messages, examples: Messages, instructions: str | None) -> Messages:
    """One system message of instructions and the question's own, then examples, then the question."""
    systems = [turn["content"] for turn in own if turn["role"] == "system"]
    said = "\n\n".join([*([instructions] if instructions else []), *systems])
    system = [{"role": "system", "content": said}] if said else []
    return [*system, *examples, *(turn for turn in own if turn["role"] != "system")]
