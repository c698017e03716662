"""Checks of the files and folders that `params.yaml` names. Only preflight imports this module."""

import re
from pathlib import Path
from typing import Any

from modelmake.errors import UserError
from stages.params import model_path, quantization_checks
from stages.params.adoption import Adoption
from stages.params.base_model import Base, Folder, Hub, Tiny
from stages.params.evaluation import Evaluate
from stages.params.release import Quant
from stages.params.training import Step
from stages.similarity import encoder_config
from stages.splitting import golden_set
from stages.training import chat_template, foreign_adapter

FILE = Path("params.yaml")
TASKS = Path("data/lm_eval")  # has a folder for each task of lm-eval
PATHS = (
    "ingest.raw",
    "clean.tokenizer",
    "dedup.encoder",
    "split.golden.rows",
    "split.decontaminate.sets",
    "base.source",
)
NO_WORD = re.compile(r"[\s\"'$`;&|<>()*?\[\]~#!{}\\]")  # of a command, as dvc.yaml writes paths into commands


def problems(chapters: dict[str, Any]) -> list[str]:
    """Paths in the params that are no words, do not exist, or hold something else than they should."""
    found = []
    for where in PATHS:
        section, *fields = where.split(".")
        value: Any = chapters.get(section)
        for field in fields:
            value = getattr(value, field, "-")
        if not value or NO_WORD.search(value):
            found.append(f"{FILE}: {where} = {value!r}: want a path without spaces and signs that a shell reads")
    if found:
        return found
    base_is_tiny = isinstance(chapters.get("base"), Tiny)
    if ingest := chapters.get("ingest"):
        raw = Path(ingest.raw)
        if not raw.exists():
            found.append(f"{FILE}: ingest.raw = {ingest.raw!r}: no such file or folder; put raw data there")
        elif raw.is_dir() and not any(p.is_file() for p in raw.rglob("*")):
            found.append(f"{FILE}: ingest.raw = {ingest.raw!r}: an empty folder; put raw data there")
    if clean := chapters.get("clean"):
        found += [f"{FILE}: clean.{problem}" for problem in clean.path_problems(base_is_tiny)]
    if dedup := chapters.get("dedup"):
        found += [f"{FILE}: dedup.{problem}" for problem in dedup.path_problems(base_is_tiny)]
        found += encoder_config.problems(dedup)
    if split := chapters.get("split"):
        try:
            golden_set.check(Path(split.golden.rows), split.golden.sha256)
        except UserError as error:
            found.append(str(error))
        else:
            suites = chapters["evaluate"].suites if chapters.get("evaluate") else []
            if "golden" in suites and not Path(split.golden.rows).read_bytes().strip():
                found.append(f"{FILE}: evaluate.suites = 'golden': {split.golden.rows} has no rows: want some there")
        if not Path(split.decontaminate.sets).is_dir():
            found.append(
                f"{FILE}: split.decontaminate.sets = {split.decontaminate.sets!r}: no such folder; for none, make an "
                "empty one"
            )
    return found


def task_problems(evaluate: Evaluate | None) -> list[str]:
    """Tasks of lm-eval whose folder is not there."""
    return [
        f"{FILE}: evaluate.tasks.{name}: no folder {TASKS / name}: want {name}.yaml and its data there, or the data of "
        "lm-eval's own task of this name"
        for name in (evaluate.tasks if evaluate else ()) if not (TASKS / name).is_dir()
    ]  # fmt: skip


def second_model_problems(train: dict[str, Step]) -> list[str]:
    """Second models of steps that are no words, do not exist, or are no folders of models."""
    found = []
    for name, step in train.items():
        if not step or step.second_model == model_path.NO_MODEL or "second_model" in step.starts():
            continue
        path, where = Path(step.second_model), f"{FILE}: train.{name}.second_model = {step.second_model!r}"
        if NO_WORD.search(step.second_model):
            found.append(f"{where}: want a path without spaces and signs that a shell reads")
        elif not (path / "config.json").is_file():
            found.append(f"{where}: no folder of a model, which has config.json; for none, write {model_path.NO_MODEL}")
    return found


def adapter_problems(adopt: dict[str, Adoption]) -> list[str]:
    """Folders of adapters that are no words, do not exist, or hold none that can be merged."""
    found = []
    for name, entry in adopt.items():
        where = f"{FILE}: adopt.{name}.adapter"
        if entry and (not entry.adapter or NO_WORD.search(entry.adapter)):
            found.append(f"{where} = {entry.adapter!r}: want a path without spaces and signs that a shell reads")
        elif entry:
            folder = Path(entry.adapter)
            whole = foreign_adapter.is_whole(folder)
            of_folder = foreign_adapter.whole_problems(folder) if whole else foreign_adapter.problems(folder)
            found += [f"{where}: {problem}" for problem in of_folder]
            if whole and entry.quantization:
                found.append(f"{FILE}: adopt.{name}.quantization: want null: {entry.adapter} is a whole model")
    return found


def base_problems(base: Base | None, train: dict[str, Step]) -> list[str]:
    """A base folder or pin that does not exist, or a chat template that a step cannot train on."""
    if not isinstance(base, Folder | Hub):
        return []
    source = Path(base.source)
    if not source.exists():
        return [f"{FILE}: base.source = {base.source!r}: no such file or folder"]
    template = base.chat_template
    if template is None and isinstance(base, Folder) and (file := source / "chat_template.jinja").is_file():
        template = file.read_text("utf-8")
    if template is None or chat_template.GENERATION.search(template):
        return []
    return [
        f"{FILE}: {chat_template.no_generation_block(f'train.{name}', 'base')}"
        for name, step in train.items()
        if getattr(step, "assistant_only_loss", False)
    ]


def quantized_problems(base: Base | None, quantize: dict[str, Quant]) -> list[str]:
    """Entries of `quantize` that cannot be made of the base; sizes of a hub's model are not known yet."""
    found = quantization_checks.size_problems(base, quantize)
    files = [name for name, quant in quantize.items() if quant and "llama_cpp" in quant.RUNTIMES]
    if not files or not isinstance(base, Folder) or not Path(base.source, "config.json").is_file():
        return found
    from stages.exporting import gguf_tokenizer, gguf_writer

    try:
        gguf_writer.check(Path(base.source))
        gguf_tokenizer.check(Path(base.source))
    except UserError as error:
        found += [f"{FILE}: quantize.{name}: {error}" for name in files]
    return found
