"""`modelmake export STEP --to TOOL [FOLDER]`: a step as configuration and rows of another trainer."""

import argparse
import importlib
import os
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from modelmake import params
from modelmake.errors import UserError
from stages import preflight
from stages.params.base_model import Hub
from stages.params.cross_checks import MIXED
from stages.params.training import Step
from stages.rows.row import Chat
from stages.rows.template_messages import template_messages
from stages.training import chat_template, kept_rows
from stages.training.kept_rows import Kept
from stages.training.row_renderer import RowRenderer
from stages.translating import words
from stages.translating.words import Source, Translation

TOOLS = ("axolotl", "llamafactory", "torchtune")
VAL = Path("data/splits/val")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("step", metavar="STEP", help="of train in params.yaml")
    parser.add_argument("--to", required=True, choices=TOOLS, help="the trainer")
    parser.add_argument(
        "folder", nargs="?", type=Path, metavar="FOLDER", help="to write; exports/STEP-TOOL if not given"
    )
    parser.add_argument("--accept", action="append", default=[], metavar="FIELD", help="export without this field")


def run(options: argparse.Namespace) -> int:
    chapters, problems = preflight.decode(params.load(preflight.FILE))
    if problems:
        raise UserError("\n".join(problems))
    if options.step not in chapters["train"]:
        raise UserError(f"export: {options.step!r}: want a step of train: {', '.join(chapters['train'])}")
    step, tool = chapters["train"][options.step], importlib.import_module(f"stages.translating.{options.to}")
    target = Path(options.here, options.folder or Path("exports", f"{options.step}-{options.to}").absolute())
    source = _source(chapters, step)
    translation = translated(step, tool, source, f"train.{options.step}", options.to, options.accept)
    if target.exists():
        raise UserError(f"{target}: exists: want a folder that does not; remove it, or name another")
    files = {kind: folder / f"{step.rows}.jsonl" for kind, folder in (("train", Path(*MIXED)), ("val", VAL))}
    if missing := [path for path in (source.model / "config.json", *files.values()) if not path.is_file()]:
        raise UserError(f"{missing[0]}: not there yet: want it for its rows and tokens; run `dvc repro` for it")
    kept = dict(zip(files, read([*files.values()], step, source, f"train.{options.step}"), strict=True))
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        folder = Path(scratch) / "export"
        folder.mkdir()
        write_rows(folder, options.to, step, kept)
        for name, content in tool.files(step, dict(translation.config), source, bool(kept["val"].rows)).items():
            _write_yaml(folder / name, content)
        os.replace(folder, target)
    for note in translation.beside:
        print(f"export: not said there: train.{options.step}.{note}")
    for field in options.accept:
        print(f"export: accepted: {field}: {translation.lost[field]}")
    for kind, part in kept.items():
        print(f"export: {kind}: {len(part.rows)} of {part.read} rows; {len(part.over_long)} longer than max_length")
    print(f"export: {target}: written")
    return 0


def _source(chapters: dict[str, Any], step: Step) -> Source:
    base, machine = chapters["base"], chapters["machine"]
    repo = ""
    if isinstance(base, Hub):
        repo = msgspec.json.decode(Path(base.source).read_bytes())["repo"]
    return Source(Path("models", step.from_).absolute(), repo, machine.dtype, machine.device)


def translated(step: Step, tool: Any, source: Source, where: str, to: str, accepted: list[str]) -> Translation:
    """The step in the tool's words.

    Raises:
        UserError: something would be lost that changes what is learnt, and is not accepted by name.
    """
    method = type(step).__struct_config__.tag
    if method not in tool.METHODS:
        raise UserError(f"{where}.method = {method!r}: want one of {', '.join(tool.METHODS)} for {to}")
    if hasattr(tool, "MODELS") and source.repo not in tool.MODELS:
        raise UserError(f"base.source: {source.repo or 'no model of the hub'}: want one of {', '.join(tool.MODELS)}")
    found = words.translate(words.fields(step), tool.TABLE)
    found.lost.update(tool.lost(step, source) if hasattr(tool, "lost") else {})
    problems = [f"{where}.{field} = {why}" for field, why in found.lost.items() if field not in accepted]
    if problems:
        raise UserError(
            "\n".join(f"{problem}; {to} has no word for it: change it, or add --accept FIELD" for problem in problems)
        )
    if unknown := sorted(set(accepted) - found.lost.keys()):
        raise UserError(f"export: --accept {unknown[0]}: nothing of it is lost: take it out")
    return found


def read(files: list[Path], step: Step, source: Source, where: str) -> list[Kept]:
    """The rows as `train` keeps them."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(source.model)
    stops = [tokenizer.decode([token]) for token in sorted(chat_template.stop_token_ids(source.model, tokenizer))]
    loss = importlib.import_module(step.modules()[0]).loss(step)
    if loss == "assistant" and not chat_template.GENERATION.search(tokenizer.get_chat_template()):
        raise UserError(chat_template.no_generation_block(where, str(source.model)))
    return kept_rows.read(files, RowRenderer(tokenizer, loss, stops, step.omit), step, where)


def write_rows(folder: Path, to: str, step: Step, kept: dict[str, Kept]) -> None:
    """The rows as the tool reads them: tokens and labels, or messages."""
    columns = {
        kind: [row for row, sides in zip(part.rows, part.sides, strict=True) for row in _rows(row, sides, to)]
        for kind, part in kept.items()
    }
    if to == "llamafactory":
        from datasets import Dataset, DatasetDict

        names = {"train": "train", "val": "validation"}
        DatasetDict({names[kind]: Dataset.from_list(rows) for kind, rows in columns.items() if rows}).save_to_disk(
            folder / "rows"
        )
        return
    for kind, rows in columns.items():
        if rows:
            (folder / f"{kind}.jsonl").write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))


def _rows(row: Any, sides: list[Any], to: str) -> list[dict[str, Any]]:
    if to == "torchtune":
        return [_messages(row)]
    tokens = [{"input_ids": side.ids, "attention_mask": [1] * len(side.ids), "labels": side.labels} for side in sides]
    if row.kind != "pair":
        return tokens  # a text that is split is one for each piece
    return [
        {f"{name}_{k}": v for name, side in zip(("chosen", "rejected"), tokens, strict=True) for k, v in side.items()}
    ]


def _messages(row: Any) -> dict[str, Any]:
    """Raises UserError for what torchtune's messages do not hold."""
    content: Chat = row.content
    turns = content.messages
    if content.tools or any(t.tool_calls or t.reasoning_content or t.role == "tool" or not t.train for t in turns):
        raise UserError(f"row {row.id}: tools, reasoning or turns that are not trained: torchtune's chats hold none")
    return {"messages": [{"role": turn["role"], "content": turn["content"]} for turn in template_messages(turns)]}


def _write_yaml(path: Path, content: dict[str, Any]) -> None:
    from ruamel.yaml import YAML

    with path.open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump(content, stream)
