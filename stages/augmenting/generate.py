"""Generation of rows from training rows by the methods in `augment.methods`, and their filtering."""

import hashlib
import importlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake.errors import UserError
from stages.augmenting import concurrent
from stages.augmenting.archive import Archive
from stages.augmenting.filtering import SplitRows, filter_contents
from stages.augmenting.requests import Prompts, Session
from stages.augmenting.teacher import Declined, Teacher
from stages.params.augmentation import Augment, Method
from stages.params.cleaning import Clean
from stages.params.data import Split
from stages.rows import parts
from stages.rows.accounting import Drop
from stages.rows.mapped_rows import MappedRows
from stages.rows.row import Content, Row, content_id
from stages.splitting import contamination


class Attempt(NamedTuple):
    """One requested row: its content, or why there is none."""

    id: str  # in the tables, for an attempt whose row is dropped
    parents: list[str]  # ids of the training rows that it starts from
    method: str
    provenance: tuple[Any, ...]  # columns `teacher` to `requests` of the table of parents
    content: Content | Declined


class Generated(NamedTuple):
    rows: list[Row]
    parents: list[tuple[Any, ...]]  # lines of the table of parents
    drops: list[Drop]
    counts: dict[str, dict[str, int]]  # method -> {in: requested rows, out: kept rows}


def generate(
    splits: Path, sets: Path, tokenizer: Path, templates: Path, archive: Path, params: Augment, cleaning: Clean,
    splitting: Split,
) -> Generated:  # fmt: skip
    """Rows by all methods, filtered; every attempt is either a row or a drop.

    Raises:
        UserError: as `run_method` does; or an evaluation set cannot be read.
    """
    train, prompts, responses = MappedRows(splits / "train/chat.jsonl"), Prompts(templates), Archive(archive)
    attempts = [
        attempt
        for number, method in enumerate(params.methods)
        for attempt in run_method(method, f"augment.methods[{number}]", train, prompts, responses)
    ]
    evaluation_sets = contamination.read(sets, splitting.decontaminate)
    contents = [attempt.content for attempt in attempts]
    results = filter_contents(contents, SplitRows(splits), evaluation_sets, tokenizer, cleaning, splitting.near)
    rows, parents, drops = [], [], []
    requested, kept = Counter(attempt.method for attempt in attempts), Counter[str]()
    for attempt, (result, rules) in zip(attempts, results, strict=True):
        id = attempt.id
        if isinstance(result, Row):
            rows.append(result)
            kept[attempt.method] += 1
            id = result.id
        else:
            drops.append(Drop(id, result.reason, result.detail))
        parents += [(id, parent, attempt.method, *attempt.provenance, rules) for parent in attempt.parents]
    return Generated(rows, parents, drops, {name: {"in": n, "out": kept[name]} for name, n in requested.items()})


def run_method(method: Method, where: str, train: MappedRows, prompts: Prompts, archive: Archive) -> list[Attempt]:
    """One attempt for each seed row, in the order of `seed_order`.

    Args:
        where: the method's place in params.yaml, for errors.

    Raises:
        UserError: there is no row to start from; an endpoint fails; or it refuses every request.
    """
    order = seed_order(train, method.seed)
    if not order:
        raise UserError(f"{where}: train has no chat to start from: want some that end in a question and its answer")
    module = importlib.import_module(method.modules()[0])
    tag = type(method).__struct_config__.tag
    teacher = Teacher(method, archive, where)
    judge = Teacher(method.judge, archive, f"{where}.judge") if hasattr(method, "judge") else None
    endpoints = [endpoint for endpoint in (teacher, judge) if endpoint]

    def attempt(place: int) -> Attempt:
        count = min(method.seeds_per_row(), len(order))
        seeds = [train[order[(place + n) % len(order)]] for n in range(count)]
        session = Session(teacher, judge, prompts)
        try:
            content = module.make([seed.content for seed in seeds], session, method)
        except Declined as reason:
            content = reason
        parents = [seed.id for seed in seeds]
        names = teacher.name, judge.name if judge else ""
        provenance = (
            *names, " ".join(session.templates), session.prompt_sha256, method.seed, " ".join(session.requests),
        )  # fmt: skip
        id = content_id(msgspec.json.encode([tag, *names, method.seed, parents]))
        return Attempt(id, parents, tag, provenance, content)

    places = range(min(method.rows or len(order), len(order)))
    attempts = concurrent.run(attempt, places, method.parallel, endpoints, tag, "rows")
    declined = [result.content for result in attempts if isinstance(result.content, Declined)]
    if len(declined) == len(attempts) and all(reason.reason == "refused_request" for reason in declined):
        raise UserError(f"{where}: every request was refused, the first by {declined[0].detail}; mend what it says")
    return attempts


def seed_order(train: Sequence[Row], seed: int) -> list[int]:
    """Indices of usable chats, ordered by a hash of seed and id, so that an added row moves no other."""
    hashes = ((hashlib.sha256(f"{seed} {row.id}".encode()).digest(), index)
              for index, row in enumerate(train) if is_usable(row))  # fmt: skip
    return [index for _, index in sorted(hashes)]


def is_usable(row: Row) -> bool:
    """True for a chat that ends in a question and its answer, without tools."""
    split = parts.split(row.content)
    if row.kind != "chat" or split.tools or not split.prompt or split.prompt[-1].role != "user":
        return False
    return not any(turn.tool_calls or turn.role == "tool" for turn in split.turns)
