"""Checks params.yaml and the graph, and writes every stage's key; everything wrong is told at once.

Inputs:  params.yaml, dvc.yaml, the code, the locks
Outputs: keys  folder of <stage>[.<item>].json: what the stage's code and locked packages hash to; and graph.json:
               {stage: {module, deps, outs, params}} as DVC resolves it, for stages that tell of the graph
"""

import argparse
import importlib
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from modelmake import graph, harness, keys, params, signature
from modelmake.errors import UserError
from stages.params.data import Clean, Dedup, Ingest, Split
from stages.params.evaluation import Compare, Evaluate, Suite
from stages.params.machine import Machine
from stages.params.release import Card, Parity, Quant, Report
from stages.params.training import Base, Folder, Hub, Step

FILE = Path("params.yaml")
CHAPTERS: dict[str, Any] = {
    "machine": Machine,
    "ingest": Ingest,
    "clean": Clean,
    "dedup": Dedup,
    "split": Split,
    "base": Base,
    "train": dict[str, Step],
    "suites": dict[str, Suite],
    "evaluate": Evaluate,
    "compare": Compare,
    "quantize": dict[str, Quant],
    "parity": Parity,
    "card": Card,
    "report": Report,
}
GRAPH = "graph.json"  # in keys/
LOWER = re.compile(r"[a-z0-9_]+")
TAKEN = ("base", "trained", "gguf")  # folders of models/ that are no step


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
    found = [*_names(chapters), *_steps(chapters.get("train") or {}), *_files(chapters)]
    train, suites = chapters.get("train"), chapters.get("suites")
    models = None if train is None else {"base", *train}
    evaluate, compare, parity = (chapters.get(name) for name in ("evaluate", "compare", "parity"))
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
                wanted.append((f"compare.gates.{name}.metric", gate.metric, _metrics(suites, compare.suite)))
                if gate.against:
                    wanted.append((f"compare.gates.{name}.against", gate.against, evaluated))
        for name, quant in (chapters.get("quantize") or {}).items():
            wanted.append((f"quantize.{name}.from", quant.from_, evaluated))
        if parity:
            wanted.append(("parity.suite", parity.suite, set(evaluate.suites)))
    if card := chapters.get("card"):
        wanted.append(("card.model", card.model, models))
    found += [f"{FILE}: {where} = {value!r}: want one of {', '.join(sorted(allowed)) or '(none there)'}"
              for where, value, allowed in wanted if allowed is not None and value not in allowed]  # fmt: skip
    shown = {getattr(chapter, "suite", None) for chapter in (compare, parity)}
    for name, suite in (suites or {}).items():
        if name in shown and "exact_match" not in suite.metrics:
            found.append(f"{FILE}: suites.{name}.metrics: want exact_match among them: parity and report need it")
    return found


def _metrics(suites: dict[str, Suite] | None, name: str) -> set[str] | None:
    if not suites or name not in suites:
        return None  # told already
    suite = suites[name]
    plain = {name for name in suite.metrics if name != "slot_f1"}
    return plain | {f"slot_f1.{slot}" for slot in suite.slots if "slot_f1" in suite.metrics}


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


def _files(chapters: dict[str, Any]) -> list[str]:
    found = []
    if ingest := chapters.get("ingest"):
        raw = Path(ingest.raw)
        if not raw.exists():
            found.append(f"{FILE}: ingest.raw = {ingest.raw!r}: no such file or folder; put raw data there")
        elif raw.is_dir() and not any(p.is_file() for p in raw.rglob("*")):
            found.append(f"{FILE}: ingest.raw = {ingest.raw!r}: an empty folder; put raw data there")
    base = chapters.get("base")
    if isinstance(base, Folder | Hub) and not Path(base.source).exists():
        found.append(f"{FILE}: base.source = {base.source!r}: no such file or folder")
    return found


def stage_keys(chapters: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """{key file's name: key} of every stage and the graph, and how dvc.yaml, stages and params disagree."""
    stages = graph.stages(Path())
    result: dict[str, Any] = {GRAPH: graph.described(stages)}
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
        modules, environments = harness.chosen(stage.module, sections)
        result[Path(stage.key_file).name] = keys.compute(Path(), modules, environments)
    return result, problems


def _pick(chapters: dict[str, Any], dotted: str) -> Any:
    chapter, _, item = dotted.partition(".")
    return chapters[chapter][item] if item else chapters[chapter]


def write(found: dict[str, Any], folder: Path) -> None:
    """Writes the keys, complete or not at all."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, key in found.items():
        (partial / name).write_text(json.dumps(key, indent=1) + "\n")
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
    try:
        found = check()
        write(found, folder)
    except UserError as error:
        sys.exit(str(error))
    print(f"preflight: params.yaml holds; {len(found.keys() - {GRAPH})} keys")


if __name__ == "__main__":
    main()
