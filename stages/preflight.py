"""Checks params.yaml and the graph, and writes every stage's key. All problems are reported at once.

Inputs:  params.yaml, dvc.yaml, the code, the locks
Outputs: keys  folder of <stage>[.<item>].json: hashes of the code and the locked packages that the stage reaches; and
               graph.json: {stage: {module, deps, outs, params}} as DVC resolves it, for stages that show the graph;
               needs.json: the kinds of rows that are trained on, for `mix`, which stops where there are none
"""

import argparse
import contextlib
import importlib
import os
import shutil
import sys
from pathlib import Path
from typing import Any, get_args, get_origin

import jsonschema

from modelmake import params, signature
from modelmake.dvc import graph
from modelmake.errors import UserError
from modelmake.keys import key_file, parse_cache, stage_key
from stages.params import cross_checks
from stages.params.augmentation import Augment
from stages.params.cleaning import Clean
from stages.params.data import Datasheet, Dedup, Ingest, Mix, Split
from stages.params.evaluation import AnySuite, Compare, Evaluate, Suite
from stages.params.machine import Machine, Resources
from stages.params.release import Card, Parity, Quant, Report
from stages.params.training import Base, Folder, Hub, Sft, Step, Tiny
from stages.reading import record_reader
from stages.similarity import encoder_config
from stages.splitting import golden_set
from stages.training import chat_template

FILE = Path("params.yaml")
MIXED = Path("data/mixed")  # what mix writes: <kind>.jsonl
NEEDS = "needs.json"  # the kinds of rows that are trained on, in the folder of key files
CHAPTERS: dict[str, Any] = {
    "machine": Machine,
    "resources": Resources,
    "ingest": Ingest,
    "clean": Clean,
    "dedup": Dedup,
    "split": Split,
    "augment": Augment,
    "mix": Mix,
    "datasheet": Datasheet,
    "base": Base,
    "train": dict[str, Step],
    "suites": dict[str, AnySuite],
    "evaluate": Evaluate,
    "compare": Compare,
    "quantize": dict[str, Quant],
    "parity": dict[str, Parity],
    "card": Card,
    "report": Report,
}


def decode(values: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """{section: typed chapter}, and the problems of all chapters, a line each.

    A chapter that cannot be decoded is None. So is an item of `train`, `suites`, `quantize` or `parity`: the others of
    its section are there, so that a mistake in one hides none elsewhere.
    """
    chapters: dict[str, Any] = {}
    problems = [f"{FILE}: {name}: unknown section; want one of {', '.join(CHAPTERS)}"
                for name in values if name not in CHAPTERS]  # fmt: skip
    for name, kind in CHAPTERS.items():
        if name not in values:
            problems.append(f"{FILE}: {name}: missing; want this section")
            continue
        chapters[name], chapter_problems = params.decode(kind, values[name], f"{FILE}: {name}")
        if chapter_problems and get_origin(kind) is dict and isinstance(values[name], dict):
            item = get_args(kind)[1]
            chapters[name] = {key: params.decode(item, value, "")[0] for key, value in values[name].items()}
        problems += chapter_problems
    return chapters, problems


def project_problems(chapters: dict[str, Any]) -> list[str]:
    """What is wrong between chapters, and with the files that they name, a line each."""
    return [
        *(f"{FILE}: {problem}" for problem in cross_checks.problems(chapters)),
        *_rule_problems(chapters.get("ingest")),
        *schema_problems(chapters.get("suites") or {}),
        *file_problems(chapters),
        *base_problems(chapters.get("base"), chapters.get("train") or {}),
    ]


def _rule_problems(ingest: Ingest | None) -> list[str]:
    """Formats that do not exist, and misspelt fields of formats."""
    return [f"{FILE}: {p}" for p in record_reader.rule_problems(ingest.files, "ingest.files")] if ingest else []


def schema_problems(suites: dict[str, AnySuite]) -> list[str]:
    """Invalid JSON Schemas. Suite.problems() does not check them: every stage would import jsonschema, 0.1 s each."""
    problems = []
    for name, suite in suites.items():
        try:
            if isinstance(suite, Suite) and suite.answer_schema is not None:
                jsonschema.Draft202012Validator.check_schema(suite.answer_schema)
        except jsonschema.SchemaError as error:
            place = error.json_path.removeprefix("$").removeprefix(".")
            problems.append(f"{FILE}: suites.{name}.answer_schema.{place}: {error.message}")
    return problems


def file_problems(chapters: dict[str, Any]) -> list[str]:
    """Paths in the params that do not exist, or hold something else than they should."""
    problems = []
    base_is_tiny = isinstance(chapters.get("base"), Tiny)
    if ingest := chapters.get("ingest"):
        raw = Path(ingest.raw)
        if not raw.exists():
            problems.append(f"{FILE}: ingest.raw = {ingest.raw!r}: no such file or folder; put raw data there")
        elif raw.is_dir() and not any(p.is_file() for p in raw.rglob("*")):
            problems.append(f"{FILE}: ingest.raw = {ingest.raw!r}: an empty folder; put raw data there")
    if clean := chapters.get("clean"):
        problems += [f"{FILE}: clean.{problem}" for problem in clean.path_problems(base_is_tiny)]
    if dedup := chapters.get("dedup"):
        problems += [f"{FILE}: dedup.{problem}" for problem in dedup.path_problems(base_is_tiny)]
        problems += encoder_config.problems(dedup)
    if split := chapters.get("split"):
        try:
            golden_set.check(Path(split.golden.rows), split.golden.sha256)
        except UserError as error:
            problems.append(str(error))
        if not Path(split.decontaminate.sets).is_dir():
            problems.append(
                f"{FILE}: split.decontaminate.sets = {split.decontaminate.sets!r}: no such folder; for none, make an "
                "empty one"
            )
    return problems


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
        if isinstance(step, Sft) and step.assistant_only_loss
    ]


def needs(base: Base, train: dict[str, Step]) -> list[str]:
    """The kinds of rows that steps train on, and a tiny base; sorted, without names of steps: mix depends on it."""
    pretrained = {Path(base.source).stem} if isinstance(base, Tiny) and Path(base.source).parent == MIXED else set()
    return sorted({step.rows for step in train.values()} | pretrained)


def graph_problems(stages: dict[str, Any]) -> list[str]:
    """Mismatches of dvc.yaml and the stages' code."""
    return [
        problem
        for stage in stages.values() if stage.module not in ("", "stages.preflight")
        for problem in graph.mismatches(stage, importlib.import_module(stage.module).main)
    ]  # fmt: skip


def stage_keys(chapters: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """{name of key file: content} for every stage and the graph, and mismatches of dvc.yaml, stages and params."""
    stages = graph.stages(Path())
    result: dict[str, Any] = {key_file.GRAPH: graph.described(stages)}
    problems: list[str] = []
    for stage in stages.values():
        if stage.module in ("", "stages.preflight"):
            continue
        main = importlib.import_module(stage.module).main
        mismatches = graph.mismatches(stage, main)
        problems += mismatches
        if Path(stage.key_file).name in {*result, NEEDS}:
            problems.append(f"dvc.yaml: {stage.name}: its key {stage.key_file} is taken: want another name")
        if mismatches:
            continue
        spec = signature.read(main)
        names = {name: stage.flags[name] for name in spec.names}
        sections = [_section(chapters, signature.section_of(kind, names)) for kind in spec.sections.values()]
        result[Path(stage.key_file).name] = stage_key.compute(Path(), stage.module, *params.selected_code(sections))
    return result, problems


def _section(chapters: dict[str, Any], dotted: str) -> Any:
    """The typed value of a section or of a field in it, such as `train.sft.quantization`."""
    value: Any = chapters
    for name in dotted.split("."):
        value = value[name] if isinstance(value, dict) else getattr(value, name)
    return value


def write(contents: dict[str, Any], folder: Path) -> None:
    """Replaces the folder of key files, completely or not at all."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, key in contents.items():
        (partial / name).write_text(stage_key.to_json(key))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(partial, folder)


def check() -> dict[str, Any]:
    """Checks the project and returns {name of key file: content}.

    Raises:
        UserError: with all problems, a line each.
    """
    chapters, problems = decode(params.load(FILE))
    problems += project_problems(chapters)
    contents: dict[str, Any] = {}
    if problems:
        with contextlib.suppress(UserError):  # without right params the graph may be none
            problems += graph_problems(graph.stages(Path()))
    else:
        contents, problems = stage_keys(chapters)
        contents[NEEDS] = needs(chapters["base"], chapters["train"])
    if problems:
        raise UserError("\n".join(problems))
    return contents


def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--keys", type=Path, required=True)
    folder = parser.parse_args().keys
    try:
        parse_cache.load(Path())
        contents = check()
        parse_cache.save(Path())
        write(contents, folder)
    except UserError as error:
        sys.exit(str(error))
    print(f"preflight: params.yaml is valid; {len(contents.keys() - {key_file.GRAPH, NEEDS})} keys")


if __name__ == "__main__":
    main()
