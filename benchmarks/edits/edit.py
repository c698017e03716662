"""What an edit is, the stages of the tiny graph, and the ways of changing a file."""

import os
from collections.abc import Callable, Collection
from typing import NamedTuple

from tests.conftest import Project

Change = Callable[[Project], None]

DATA = {"ingest", "clean", "dedup", "split", "augment", "mix", "datasheet"}
EVALUATE = {"evaluate@base-chat", "evaluate@sft-chat", "evaluate@dpo-chat"}
END = {"compare", "card", "report"}
OF_DPO = {"merge@dpo", "evaluate@dpo-chat", "quantize@Q8_0", "parity@Q8_0", *END}
OF_SFT = {"merge@sft", "evaluate@sft-chat", "train@dpo", *OF_DPO}
TRAIN = {"train@sft", "train@dpo"}
ALL = {*DATA, "base", *TRAIN, "merge@sft", *OF_DPO, *EVALUATE, "calibrate@Q8_0", "plots"}


class Edit(NamedTuple):
    """One change of a build that is up to date, and what it makes stale.

    `must` has to run for the reason in `why`: what it reads has changed, or its code, or a value that it uses. `may`
    has to run if what stands before it came out with other bytes, which small numbers leave to chance; else it must
    not.
    """

    change: Change
    must: Collection[str]
    why: str
    may: Collection[str] = ()
    before: Change | None = None  # made and built first
    during: str = ""  # the stage that runs while the change is made; `before` makes it stale
    suite: bool = False  # tests/pipeline/test_edits.py makes it too


def replace(path: str, old: str, new: str) -> Change:
    """Text that must be there, everywhere in the file."""
    return lambda project: project.edit(path, old, new)


def params(old: str, new: str) -> Change:
    return replace("params.yaml", old, new)


def lines(path: str, change: Callable[[list[str]], list[str]]) -> Change:
    """Other lines for those of a file."""
    return lambda project: project.write(path, "\n".join(change(project.read(path).splitlines())) + "\n")


def add(path: str, text: str) -> Change:
    """Text at the end of a file, which may be new."""

    def change(project: Project) -> None:
        with (project.path / path).open("a", encoding="utf-8") as file:
            file.write(text)

    return change


def both(*changes: Change) -> Change:
    def change(project: Project) -> None:
        for one in changes:
            one(project)

    return change


def nothing(project: Project) -> None:
    """Building this lets DVC note sizes and times of a copied project."""


def upgrade(package: str) -> Change:
    """The next version of a package in uv.lock; what is installed stays."""

    def change(project: Project) -> None:
        head = f'name = "{package}"\nversion = "'
        project.edit("uv.lock", head, f"{head}9")

    return change


def flip(path: str) -> Change:
    """One byte, in the middle; size and times stay."""

    def change(project: Project) -> None:
        file = project.path / path
        found, content = file.stat(), bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        with file.open("r+b") as opened:
            opened.write(content)
        os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))

    return change
