"""Checks params.yaml and the graph, and writes every stage's key; everything wrong is told at once.

Inputs:  params.yaml, dvc.yaml, the code, the locks
Outputs: keys  folder of <stage>[.<item>].json: what the stage's code and locked packages hash to; and graph.json:
               {stage: {module, deps, outs, params}} as DVC resolves it, for stages that tell of the graph
"""

import argparse
import importlib
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import jsonschema

from modelmake import harness, params, signature
from modelmake.dvc import graph
from modelmake.errors import UserError
from modelmake.keys import key as keys
from modelmake.keys import key_file, symbols
from modelmake.running import state_dir
from stages.params.augmentation import Augment
from stages.params.cleaning import Clean
from stages.params.data import Datasheet, Dedup, Ingest, Mix, Split
from stages.params.evaluation import AnySuite, Compare, Evaluate, Suite
from stages.params.machine import Machine, Resources
from stages.params.release import Card, Parity, Quant, Report
from stages.params.training import Base, Folder, Hub, Sft, Step, Tiny
from stages.similarity import encoder
from stages.splitting import golden

FILE = Path("params.yaml")
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
GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
LOWER = re.compile(r"[a-z0-9_]+")
TAKEN = ("base", "trained", "quantized")  # folders of models/ that are no step


def decode(values: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Every chapter, typed, and every problem found in any."""
    chapters: dict[str, Any] = {}
    problems = [f"{FILE}: {name}: unknown section; want one of {', '.join(CHAPTERS)}"
                for name in values if name not in CHAPTERS]  # fmt: skip
    for name, kind in CHAPTERS.items():
        if name not in values:
            problems.append(f"{FILE}: {name}: missing; want this section")
            continue
        chapters[name], found = params.decode(kind, values[name], f"{FILE}: {name}")
        problems += found
    return chapters, problems


def cross(chapters: dict[str, Any]) -> list[str]:
    """What is wrong between chapters that are each right; checked where all that it takes is there."""
    train, suites = chapters.get("train"), chapters.get("suites")
    found = [*_names(chapters), *_steps(train or {}), *_schemas(suites or {}), *_parity(chapters), *_files(chapters)]
    models = None if train is None else {"base", *train}
    evaluate, compare = chapters.get("evaluate"), chapters.get("compare")
    wanted: list[tuple[str, str, set[str] | None]] = []  # None: not known, for it is wrong itself
    if evaluate:
        wanted += [("evaluate.models", model, models) for model in evaluate.models]
        wanted += [("evaluate.suites", suite, None if suites is None else set(suites)) for suite in evaluate.suites]
        evaluated = set(evaluate.models)
        if compare:
            wanted.append(("compare.baseline", compare.baseline, evaluated))
            wanted.append(("compare.suite", compare.suite, set(evaluate.suites)))
            for name, gate in compare.gates.items():
                wanted.append((f"compare.gates.{name}.model", gate.model, evaluated))
                wanted.append((f"compare.gates.{name}.metric", gate.metric, _metrics(suites, compare.suite, evaluate)))
                if gate.against:
                    wanted.append((f"compare.gates.{name}.against", gate.against, evaluated))
        for name, quant in (chapters.get("quantize") or {}).items():
            wanted.append((f"quantize.{name}.from", quant.from_, evaluated))
    if card := chapters.get("card"):
        wanted.append(("card.model", card.model, models))
    found += [f"{FILE}: {where} = {value!r}: want one of {', '.join(sorted(allowed)) or '(none there)'}"
              for where, value, allowed in wanted if allowed is not None and value not in allowed]  # fmt: skip
    machine, resources = chapters.get("machine"), chapters.get("resources")
    if machine and resources and (machine.device == "cuda") != (resources.model.gpu > 0):
        wanted_gpus = "1 or more" if machine.device == "cuda" else "0"
        found.append(
            f"{FILE}: resources.model.gpu = {resources.model.gpu}: want {wanted_gpus} with machine.device = "
            f"{machine.device!r}"
        )
    for name, suite in (suites or {}).items():
        if compare and name == compare.suite and "exact_match" not in suite.metrics:
            found.append(f"{FILE}: suites.{name}.metrics: want exact_match among them: parity and report need it")
    return found


def _metrics(suites: dict[str, AnySuite] | None, compared: str, evaluate: Evaluate) -> set[str] | None:
    """Names of what is measured, as in reports/metrics.json."""
    if not suites or not {compared, *evaluate.suites} <= suites.keys():
        return None  # told already
    found = set()
    for name in evaluate.suites:
        suite, prefix = suites[name], "" if name == compared else f"{name}."
        found |= {f"{prefix}{metric}" for metric in suite.metrics if metric != "slot_f1"}
        if isinstance(suite, Suite) and "slot_f1" in suite.metrics:
            found |= {f"{prefix}slot_f1.{slot}" for slot in suite.slots}
    return found


def _names(chapters: dict[str, Any]) -> list[str]:
    found = []
    for section in ("train", "suites"):
        for name in chapters.get(section) or {}:
            if not LOWER.fullmatch(name):
                found.append(f"{FILE}: {section}: name {name!r}: want {LOWER.pattern}; rename it")
            elif section == "train" and name in TAKEN:
                found.append(f"{FILE}: train: name {name!r}: is taken in models/; rename the step")
    for name, quant in (chapters.get("quantize") or {}).items():
        if name not in quant.TYPES:
            found.append(
                f"{FILE}: quantize: name {name!r}: want one of {', '.join(quant.TYPES)} with tool = "
                f"{type(quant).__struct_config__.tag}"
            )
    for section in ("train", "quantize"):
        if chapters.get(section) == {}:
            found.append(f"{FILE}: {section}: is empty: want at least one entry")
    return found


def _parity(chapters: dict[str, Any]) -> list[str]:
    quantize, parity = chapters.get("quantize"), chapters.get("parity")
    if quantize is None or parity is None:
        return []  # told already
    found = [f"{FILE}: parity.{name}: missing; say how far quantize.{name} may be from its model"
             for name in quantize if name not in parity]  # fmt: skip
    found += [f"{FILE}: parity.{name}: no such entry of quantize; want one of {', '.join(quantize)}"
              for name in parity if name not in quantize]  # fmt: skip
    for name in quantize.keys() & parity.keys():
        runtime = type(parity[name]).__struct_config__.tag
        if runtime not in quantize[name].RUNTIMES:
            tool = type(quantize[name]).__struct_config__.tag
            found.append(
                f"{FILE}: parity.{name}.runtime = {runtime!r}: want {' or '.join(quantize[name].RUNTIMES)} for what "
                f"{tool} writes"
            )
    return found


def _steps(train: dict[str, Step]) -> list[str]:
    found = []
    for name in train:
        seen = [name]
        while seen[-1] in train and (start := train[seen[-1]].from_) != "base":
            if start not in train:
                if len(seen) == 1:
                    found.append(
                        f"{FILE}: train.{name}.from = {start!r}: no such step: want one of "
                        f"{', '.join(sorted({'base', *train} - {name}))}"
                    )
                break
            seen.append(start)
            if start in seen[:-1]:
                if start == name and name == min(seen):
                    found.append(f"{FILE}: train: {' from '.join(seen)}: steps in a circle; start one from base")
                break
    return found


def _schemas(suites: dict[str, AnySuite]) -> list[str]:
    """Here and not in the suites' own checks, for importing jsonschema takes a tenth of a second in every stage."""
    found = []
    for name, suite in suites.items():
        try:
            if isinstance(suite, Suite) and suite.answer_schema is not None:
                jsonschema.Draft202012Validator.check_schema(suite.answer_schema)
        except jsonschema.SchemaError as error:
            place = error.json_path.removeprefix("$").removeprefix(".")
            found.append(f"{FILE}: suites.{name}.answer_schema.{place}: {error.message}")
    return found


def _files(chapters: dict[str, Any]) -> list[str]:
    found = []
    if ingest := chapters.get("ingest"):
        raw = Path(ingest.raw)
        if not raw.exists():
            found.append(f"{FILE}: ingest.raw = {ingest.raw!r}: no such file or folder; put raw data there")
        elif raw.is_dir() and not any(p.is_file() for p in raw.rglob("*")):
            found.append(f"{FILE}: ingest.raw = {ingest.raw!r}: an empty folder; put raw data there")
        clean = chapters.get("clean")
        if clean and ingest.documents and ingest.documents.max_chars > clean.max_chars:
            found.append(
                f"{FILE}: ingest.documents.max_chars = {ingest.documents.max_chars}: want at most clean.max_chars = "
                f"{clean.max_chars}: longer pieces would be dropped"
            )
    if split := chapters.get("split"):
        try:
            golden.check(Path(split.golden.rows), split.golden.sha256)
        except UserError as error:
            found.append(str(error))
        if not Path(split.decontaminate.sets).is_dir():
            found.append(
                f"{FILE}: split.decontaminate.sets = {split.decontaminate.sets!r}: no such folder; for none, make an "
                "empty one"
            )
    base = chapters.get("base")
    if clean := chapters.get("clean"):
        found += [f"{FILE}: clean.{problem}" for problem in clean.path_problems(isinstance(base, Tiny))]
    if dedup := chapters.get("dedup"):
        found += [f"{FILE}: dedup.{problem}" for problem in dedup.path_problems(isinstance(base, Tiny))]
        found += encoder.problems(dedup)
    if isinstance(base, Folder | Hub):
        if not Path(base.source).exists():
            found.append(f"{FILE}: base.source = {base.source!r}: no such file or folder")
        elif (template := _template(base)) is not None and not GENERATION.search(template):
            found += [
                f"{FILE}: train.{name}.assistant_only_loss = True: the chat template of base has no {{% generation %}} "
                "around what the assistant says: want it there, end token included; write such a template into "
                "base.chat_template (see docs/models.md), or false"
                for name, step in (chapters.get("train") or {}).items()
                if isinstance(step, Sft) and step.assistant_only_loss
            ]
    return found


def _template(base: Folder | Hub) -> str | None:
    """The chat template, where that can be known before the build."""
    file = Path(base.source) / "chat_template.jinja"
    if base.chat_template is None and isinstance(base, Folder) and file.is_file():
        return file.read_text("utf-8")
    return base.chat_template


def stage_keys(chapters: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """{key file's name: key} of every stage and the graph, and how dvc.yaml, stages and params disagree."""
    stages = graph.stages(Path())
    result: dict[str, Any] = {key_file.GRAPH: graph.described(stages)}
    problems: list[str] = []
    for stage in stages.values():
        if stage.module in ("", "stages.preflight"):
            continue
        main = importlib.import_module(stage.module).main
        found = graph.mismatches(stage, main)
        problems += found
        if Path(stage.key_file).name in result:
            problems.append(f"dvc.yaml: {stage.name}: its key {stage.key_file} is taken: want another name")
        if found:
            continue
        spec = signature.read(main)
        names = {name: stage.flags[name] for name in spec.names}
        sections = [_pick(chapters, signature.section_of(kind, names)) for kind in spec.sections.values()]
        result[Path(stage.key_file).name] = keys.compute(Path(), stage.module, *harness.chosen(sections))
    return result, problems


def _pick(chapters: dict[str, Any], dotted: str) -> Any:
    value: Any = chapters
    for name in dotted.split("."):
        value = value[name] if isinstance(value, dict) else getattr(value, name)
    return value


def write(found: dict[str, Any], folder: Path) -> None:
    """Writes the keys, complete or not at all."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, key in found.items():
        (partial / name).write_text(keys.written(key))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(partial, folder)


def check() -> dict[str, Any]:
    """The keys and the graph of a project that is right.

    Raises:
        UserError: with everything that is wrong, a line each.
    """
    chapters, problems = decode(params.load(FILE))
    problems += cross(chapters)
    if problems:
        raise UserError("\n".join(problems))
    found, problems = stage_keys(chapters)
    if problems:
        raise UserError("\n".join(problems))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--keys", type=Path, required=True)
    folder = parser.parse_args().keys
    parsed = state_dir.folder(Path()) / state_dir.PARSED
    try:
        symbols.recall(parsed)
        found = check()
        symbols.remember(parsed)
        write(found, folder)
    except UserError as error:
        sys.exit(str(error))
    print(f"preflight: params.yaml holds; {len(found.keys() - {key_file.GRAPH})} keys")


if __name__ == "__main__":
    main()
