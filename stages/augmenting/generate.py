"""Makes rows of training rows by the methods that params name, and tells of each what became of it."""

import hashlib
import importlib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake.errors import UserError
from modelmake.progress import ProgressBar
from stages.augmenting.archive import Archive
from stages.augmenting.filtering import Known, sift
from stages.augmenting.requests import Asking, Prompts
from stages.augmenting.teacher import Declined, Teacher
from stages.params.augmentation import Augment, Method
from stages.params.cleaning import Clean
from stages.params.data import Split
from stages.rows.accounting import Drop
from stages.rows.mapped_rows import MappedRows
from stages.rows.row import Chat, Content, Row, content_id
from stages.splitting import contamination


class Attempt(NamedTuple):
    """One row that was asked for."""

    id: str  # stands for a row that does not stay
    parents: list[str]
    method: str
    told: tuple[Any, ...]  # of how it was made, for its lines in the table of parents
    content: Content | Declined


def make(
    splits: Path, sets: Path, tokenizer: Path, templates: Path, archive: Path, params: Augment, cleaning: Clean,
    splitting: Split,
) -> tuple[list[Row], list[tuple[Any, ...]], list[Drop], dict[str, dict[str, int]]]:  # fmt: skip
    """(rows, lines of the table of parents, dropped attempts, {method: {in, out}})."""
    train, prompts, answers = MappedRows(splits / "train/chat.jsonl"), Prompts(templates), Archive(archive)
    attempts = [
        attempt
        for number, method in enumerate(params.methods)
        for attempt in attempted(method, f"augment.methods[{number}]", train, prompts, answers)
    ]
    read = contamination.read(sets, splitting.decontaminate)
    contents = [attempt.content for attempt in attempts]
    sifted = sift(contents, Known(splits), read, tokenizer, cleaning, splitting.near)
    made, parents, drops = [], [], []
    asked, kept = Counter(attempt.method for attempt in attempts), Counter[str]()
    for attempt, (found, rules) in zip(attempts, sifted, strict=True):
        id = attempt.id
        if isinstance(found, Row):
            made.append(found)
            kept[attempt.method] += 1
            id = found.id
        else:
            drops.append(Drop(id, found.reason, found.detail))
        parents += [(id, parent, attempt.method, *attempt.told, rules) for parent in attempt.parents]
    return made, parents, drops, {name: {"in": n, "out": kept[name]} for name, n in asked.items()}


def attempted(method: Method, where: str, train: MappedRows, prompts: Prompts, archive: Archive) -> list[Attempt]:
    """An attempt for each chosen row, in the order of their hashes.

    Raises:
        UserError: there is no row to start from; or an endpoint cannot be asked, or refuses every request.
    """
    order = chosen(train, method.seed)
    if not order:
        raise UserError(f"{where}: train has no chat to start from: want some of a question and an answer")
    module = importlib.import_module(method.modules()[0])
    tag = type(method).__struct_config__.tag
    teacher = Teacher(method, archive, where)
    judge = Teacher(method.judge, archive, f"{where}.judge") if hasattr(method, "judge") else None
    asked = [endpoint for endpoint in (teacher, judge) if endpoint]

    def attempt(place: int) -> Attempt:
        count = min(method.taken(), len(order))
        seeds = [train[order[(place + n) % len(order)]] for n in range(count)]
        asking = Asking(teacher, judge, prompts)
        try:
            content = module.make([seed.content for seed in seeds], asking, method)
        except Declined as why:
            content = why
        parents = [seed.id for seed in seeds]
        names = teacher.name, judge.name if judge else ""
        how = " ".join(asking.templates), asking.prompt_sha256, method.seed, " ".join(asking.requests)
        id = content_id(msgspec.json.encode([tag, *names, method.seed, parents]))
        return Attempt(id, parents, tag, (*names, *how), content)

    places = range(min(method.rows or len(order), len(order)))
    found: list[Attempt] = []
    told = ProgressBar(len(places), tag, "rows")
    try:
        with ThreadPoolExecutor(method.parallel) as pool:
            try:
                for one in pool.map(attempt, places):
                    found.append(one)
                    told.update(1)
            except BaseException:
                for endpoint in asked:
                    endpoint.stop()
                raise
    finally:
        for endpoint in asked:
            endpoint.close()
    whys = [one.content for one in found if isinstance(one.content, Declined)]
    if len(whys) == len(found) and all(why.reason == "refused_request" for why in whys):
        raise UserError(f"{where}: every request was refused, the first by {whys[0].detail}; mend what it says")
    return found


def chosen(train: Sequence[Row], seed: int) -> list[int]:
    """Indices of the chats that rows can be made of, by a hash of seed and id, so that an added row moves none."""
    hashed = ((hashlib.sha256(f"{seed} {row.id}".encode()).digest(), index)
              for index, row in enumerate(train) if plain(row))  # fmt: skip
    return [index for _, index in sorted(hashed)]


def plain(row: Row) -> bool:
    """Whether a chat ends in a question and its answer, and nobody in it calls tools."""
    chat = row.content
    if not isinstance(chat, Chat) or chat.tools or len(chat.messages) < 2:
        return False
    return chat.messages[-2].role == "user" and not any(m.tool_calls or m.role == "tool" for m in chat.messages)
