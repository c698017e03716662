"""The decisions of `modelmake init` about files, on top of the values of a recipe."""

import glob
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from modelmake import params
from modelmake.errors import UserError
from stages import base as base_stage
from stages import split
from stages.params.base_model import Tiny
from stages.params.data import Ingest, Split
from stages.proposing import file_rule, judged, lengths, proposal, splits
from stages.proposing.proposal import Base, Below, Decision
from stages.proposing.survey import Survey, survey
from stages.reading import files, hub
from stages.rows.row import Content, Row
from stages.training import chat_template, corpus, tokens

TINY_TOKENS = 2048  # of a row, at most: a tiny model on a CPU takes seconds for each batch of longer ones
TOKENIZER_FILES = ("config.json", "tokenizer*", "*.jinja", "special_tokens_map.json")
TOKENIZER_CHARS = 5_000_000  # that a tiny model's tokenizer is tried on


def decisions(paths: list[Path], base: Path | None, values: dict[str, Any], named: bool) -> list[Decision]:
    """What is proposed for the files.

    Args:
        paths: files and folders, absolute.
        base: a model's folder or a pin of one; None: a tiny one.
        values: of all sections of the recipe below.
        named: the recipe was named, and decides how much is computed.

    Raises:
        UserError: the files lie outside the project, or cannot be told apart; or the model cannot be read.
    """
    raw = raw_path(paths)
    ingest = params.section(values, "ingest", Ingest, "recipe")
    judged_plan = judged.plan(survey(paths, raw, ingest.files))
    found = judged_plan.survey
    rows = [row for row, _ in found.rows.values()]
    kinds = [kind for kind in proposal.STEPS if any(row.kind == kind for row in rows)]
    if kinds in ([], ["text"]):
        raise UserError(
            f"{raw}: found rows of kind {', '.join(sorted({row.kind for row in rows}))} alone: want chats or pairs: "
            "models are compared by their answers; name files of questions with answers, or of preferences, as well"
        )
    split_params = params.section(values, "split", Split, "recipe")

    def split_of(row: Row, plan: splits.Plan) -> str:
        fractions = {name: getattr(plan, name) for name in ("val_fraction", "test_fraction", "val_from_train")}
        return split.split_of(row, msgspec.structs.replace(split_params, **fractions))

    plan = splits.widened(splits.plan(found), found, split_of, kinds)
    source = lengths.source(rows)
    model, tokenizer = _base(base, values, rows, source, named)
    measured = lengths.measure(rows, _counter(tokenizer), lambda text: len(tokenizer.encode(text)),
                               model.context_tokens, source)  # fmt: skip
    name = raw.stem if raw.is_file() else raw.name
    below = Below(
        named, values["train"], judged_plan.weights, values["clean"]["max_chars"], ingest.max_rejected_fraction
    )
    proposed = proposal.propose(found, plan, split_of, model, measured, below, name)
    of_judged = [Decision("ingest.judged", judged_plan.judged, judged_plan.reason)] if judged_plan.reason else []
    return [Decision("ingest.raw", os.path.relpath(raw)), *_selection(found, raw, proposed), *of_judged, *proposed]


def raw_path(paths: list[Path]) -> Path:
    """The folder that holds all of the paths, or the only path.

    Raises:
        UserError: one does not exist, or lies outside the project.
    """
    root = Path.cwd()
    problems = [f"{path}: no such file or folder: want raw data" for path in paths if not path.exists()]
    problems += [
        f"{path}: lies outside of {root}: want data that the project keeps; copy it to {Path('data', path.name)}, or "
        f"`dvc import-url {path} {Path('data', path.name)}`, and name it there"
        for path in paths if path.exists() and not path.is_relative_to(root)
    ]  # fmt: skip
    if problems:
        raise UserError("\n".join(problems))
    raw = paths[0] if len(paths) == 1 else Path(os.path.commonpath([path.parent for path in paths]))
    if raw == root:
        raise UserError(f"{raw}: holds the whole project: want a folder of raw data alone; move them into one in data/")
    return raw


def _selection(found: Survey, raw: Path, proposed: list[Decision]) -> list[Decision]:
    """`ingest.files`, if it is not proposed but files below the raw folder were not named."""
    named = {file.name for file in found.files}
    others = [path for path in raw.rglob("*") if path.is_file() and not files.skipped(path.relative_to(raw))]
    if len(others) <= len(named) or any(decision.where == "ingest.files" for decision in proposed):
        return []
    rules = [{"glob": glob.escape(name), **file_rule.complete(None)} for name in sorted(named)]
    return [Decision("ingest.files", rules, "the other files there were not named")]


def _base(
    path: Path | None, values: dict[str, Any], rows: list[Row], source: tuple[str, int], named: bool
) -> tuple[Base, Any]:
    """The model to start from, and its tokenizer.

    Raises:
        UserError: the path is neither a model's folder nor a pin; or the model cannot be read.
    """
    if path is None and values["base"]["kind"] == "tiny":
        kind, characters = source
        tiny = params.section(values, "base", Tiny, "recipe")
        vocab_size = tiny.vocab_size if named else lengths.vocab_size(characters)
        tiny = msgspec.structs.replace(tiny, vocab_size=vocab_size, max_position_embeddings=10**6)
        reason = f"a tiny model, pretrained on the {kind} rows: {characters:,} characters; name another with --base"
        return Base({"kind": "tiny"}, reason, TINY_TOKENS, True), base_stage.train_tokenizer(_corpus(rows), tiny)
    section = values["base"]
    if path is not None:
        if not path.exists():
            raise UserError(f"{path}: no such file or folder: want a model's folder, or a pin of one of the hub")
        kind = "folder" if path.is_dir() else "hub"
        section = {"kind": kind, "source": os.path.relpath(path), "chat_template": None}
    source_path = Path(section["source"])
    folder = source_path if section["kind"] == "folder" else hub.fetch(source_path, "model", TOKENIZER_FILES)
    from transformers import AutoConfig, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        told = " ".join(str(error).split())[:200]
        raise UserError(f"{folder}: {told}: want a model's folder with config.json and tokenizer.json") from None
    tokenizer.chat_template = section["chat_template"] or tokenizer.chat_template
    if not tokenizer.chat_template:
        raise UserError(f"{folder}: no chat template: want one; write base.chat_template into a recipe: docs/models.md")
    marked = bool(chat_template.GENERATION.search(tokenizer.chat_template))
    context = getattr(config.get_text_config(), "max_position_embeddings", 4096)
    reason = f"named; it reads {context:,} tokens"
    return Base(section, reason, min(context, 4096), marked), tokenizer


def _corpus(rows: list[Row]) -> list[str]:
    texts, left = [], TOKENIZER_CHARS
    for row in rows:
        for text in corpus.texts(row.content):
            left -= len(text)
            texts.append(text)
        if left < 0:
            break
    return texts


def _counter(tokenizer: Any) -> Callable[[Content], int]:
    """Tokens of a row as its method of training counts them."""
    return lambda content: tokens.count(content, tokenizer)
