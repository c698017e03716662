"""The class of edits, the stages of the tiny graph, and functions that change files."""

import os
from collections.abc import Callable, Collection
from typing import NamedTuple

from tests.conftest import Project

Change = Callable[[Project], None]

DATA = {"ingest", "clean", "dedup", "split", "augment", "mix", "datasheet"}
ANSWER = {"answer@base-chat", "answer@sft-chat", "answer@dpo-chat"}
EVALUATE = {"evaluate@base-chat", "evaluate@sft-chat", "evaluate@dpo-chat"}
END = {"compare", "card", "report"}
OF_QUANT = {"quantize@Q8_0", "answer_quantized@Q8_0", "parity@Q8_0"}
OF_DPO = {"merge@dpo", "answer@dpo-chat", "evaluate@dpo-chat", *OF_QUANT, *END}
OF_SFT = {"merge@sft", "answer@sft-chat", "evaluate@sft-chat", "train@dpo", *OF_DPO}
OF_VARIANT = {"vary@loud"} | {
    f"{stage}@{model}-loud" for stage in ("answer_variant", "evaluate_variant") for model in ("base", "sft", "dpo")
}
TRAIN = {"train@sft", "train@dpo"}
ALL = {*DATA, "base", *TRAIN, "merge@sft", *OF_DPO, *ANSWER, *EVALUATE, "calibrate@Q8_0", "plots"}


class Edit(NamedTuple):
    """One change of an up-to-date build, and the stages that it makes stale.

    Stages in `must` have to run for the reason in `why`: an input, their code or a value they use has changed. Stages
    in `may` have to run if a stage before them made other bytes, which with small numbers is left to chance; else they
    must not run.
    """

    change: Change
    must: Collection[str]
    why: str
    may: Collection[str] = ()
    before: Change | None = None  # made and built before the edit
    during: str = ""  # the stage that runs while the change is made; `before` makes it stale
    suite: bool = False  # also made by tests/pipeline/test_edits.py


def replace(path: str, old: str, new: str) -> Change:
    """Replaces text that must be in the file, everywhere."""
    return lambda project: project.edit(path, old, new)


def params(old: str, new: str) -> Change:
    """Replaces text in params.yaml."""
    return replace("params.yaml", old, new)


def lines(path: str, change: Callable[[list[str]], list[str]]) -> Change:
    """Changes the list of lines of a file."""
    return lambda project: project.write(path, "\n".join(change(project.read(path).splitlines())) + "\n")


def add(path: str, text: str) -> Change:
    """Adds text at the end of a file, which may be new."""

    def change(project: Project) -> None:
        (project.path / path).parent.mkdir(parents=True, exist_ok=True)
        with (project.path / path).open("a", encoding="utf-8") as file:
            file.write(text)

    return change


def both(*changes: Change) -> Change:
    """Makes several changes, in order."""

    def change(project: Project) -> None:
        for one in changes:
            one(project)

    return change


def nothing(project: Project) -> None:
    """Changes nothing. Building after it lets DVC note sizes and times of a copied project."""


def upgrade(package: str) -> Change:
    """Changes the version of a package in uv.lock; the installed one stays."""

    def change(project: Project) -> None:
        head = f'name = "{package}"\nversion = "'
        project.edit("uv.lock", head, f"{head}9")

    return change


def source(package: str, text: str) -> Change:
    """Changes where uv.lock has a package from; the installed one stays."""

    def change(project: Project) -> None:
        head, name, rest = project.read("uv.lock").partition(f'name = "{package}"\nversion = ')
        assert name, package
        version, _, after = rest.partition("\nsource = ")
        project.write("uv.lock", f"{head}{name}{version}\nsource = {text}\n{after.partition(chr(10))[2]}")

    return change


def flip(path: str) -> Change:
    """Changes one byte in the middle of a file; size and times stay."""

    def change(project: Project) -> None:
        file = project.path / path
        status, content = file.stat(), bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        with file.open("r+b") as opened:
            opened.write(content)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    return change
