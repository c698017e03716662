"""Checks params.yaml and the graph, and writes every stage's key. All problems are reported at once.

Inputs:  params.yaml, dvc.yaml, the code, the locks
Outputs: keys  folder of <stage>[.<item>].json: hashes of the code and locked packages that the stage reaches;
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
from modelmake.dvc.graph import Stage
from modelmake.errors import UserError
from modelmake.keys import key_file, locked_packages, parse_cache, stage_key
from modelmake.planning import resources
from modelmake.running import launcher, platform, sandbox
from stages.evaluating import metrics
from stages.params import cross_checks, file_checks, licences, quantization_checks, variant_checks
from stages.params.adoption import Adoption
from stages.params.alternatives import Alternative
from stages.params.answering import Answering, Runtime
from stages.params.augmentation import Augment
from stages.params.base_model import Base, Tiny
from stages.params.cleaning import Clean
from stages.params.combination import Combination
from stages.params.data import Datasheet, Dedup, Ingest, Mix, Split
from stages.params.evaluation import AnySuite, Compare, Evaluate, Suite, of_rewards
from stages.params.examination import Examination
from stages.params.machine import Machine, Resources
from stages.params.release import Card, Parity, Quant, Report
from stages.params.training import OwnAnswers, Step
from stages.params.weighing import Weighing
from stages.reading import field_mapping

FILE = Path("params.yaml")
SCHEDULER, NEEDS = "MODELMAKE_SCHEDULER", "needs.json"  # set by the Snakefile: stages may run elsewhere; see above
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
    "combine": dict[str, Combination],
    "adopt": dict[str, Adoption],
    "answer": dict[str, Answering],
    "suites": dict[str, AnySuite],
    "evaluate": Evaluate,
    "compare": Compare,
    "examine": dict[str, Examination],
    "alternatives": dict[str, Alternative],
    "weigh": dict[str, Weighing],
    "quantize": dict[str, Quant],
    "answer_quantized": dict[str, Runtime],
    "parity": dict[str, Parity],
    "card": Card,
    "report": Report,
}
OPTIONAL = {"alternatives", "examine", "weigh"}  # missing, they have no entries, as `vars` of dvc.yaml says


def decode(values: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """{section: typed chapter}, and the problems of all chapters, a line each.

    A chapter that cannot be decoded is None. So is an item of `train`, `suites` or another map: the others of its
    section are there, so that a mistake in one hides none elsewhere.
    """
    chapters: dict[str, Any] = {}
    problems = [f"{FILE}: {name}: unknown section; want one of {', '.join(CHAPTERS)}"
                for name in values if name not in CHAPTERS]  # fmt: skip
    for name, kind in CHAPTERS.items():
        if name not in values:
            chapters |= {name: {}} if name in OPTIONAL else {}
            problems += [] if name in OPTIONAL else [f"{FILE}: {name}: missing; want this section"]
            continue
        chapters[name], chapter_problems = params.decode(kind, values[name], f"{FILE}: {name}")
        if chapter_problems and get_origin(kind) is dict and isinstance(values[name], dict):
            item = get_args(kind)[1]
            chapters[name] = {key: params.decode(item, value, "")[0] for key, value in values[name].items()}
        problems += chapter_problems
    return chapters, problems


def project_problems(chapters: dict[str, Any]) -> list[str]:
    """What is wrong between chapters, and with the files that they name, a line each."""
    raw = getattr(chapters.get("ingest"), "raw", None)
    return [
        *(f"{FILE}: {problem}" for problem in cross_checks.problems(chapters)),
        *_rule_problems(chapters.get("ingest")),
        *schema_problems(chapters.get("suites") or {}),
        *file_checks.problems(chapters),
        *file_checks.task_problems(chapters.get("evaluate")),
        *(f"{FILE}: {problem}" for problem in variant_checks.problems(chapters.get("evaluate"), raw)),
        *file_checks.base_problems(chapters.get("base"), chapters.get("train") or {}),
        *file_checks.second_model_problems(chapters.get("train") or {}),
        *file_checks.adapter_problems(chapters.get("adopt") or {}),
        *file_checks.quantized_problems(chapters.get("base"), chapters.get("quantize") or {}),
    ]


def _rule_problems(ingest: Ingest | None) -> list[str]:
    """Formats that do not exist, and misspelt fields of formats."""
    return [f"{FILE}: {p}" for p in field_mapping.rule_problems(ingest.files, "ingest.files")] if ingest else []


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


def needs(base: Base, train: dict[str, Step]) -> list[str]:
    """The kinds of rows that steps train on, and a tiny base; sorted, without names of steps: mix depends on it."""
    source = Path(base.source) if isinstance(base, Tiny) else Path()
    pretrained = {source.stem} if source.parent.parts == cross_checks.MIXED else set()
    return sorted({step.rows for step in train.values()} | pretrained)


def input_problems(stages: dict[str, Stage]) -> list[str]:
    """What no stage can have as its input, among the files and folders that no stage makes."""
    outs = [Path(out) for stage in stages.values() for out in stage.outs]
    named: dict[str, str] = {}  # path -> the first stage that depends on it
    for stage in stages.values():
        for dep in stage.deps if stage.module != "stages.preflight" else ():
            if not any(out.is_relative_to(dep) or Path(dep).is_relative_to(out) for out in outs):
                named.setdefault(dep, stage.name)
    return [f"{stage}: {phrase}" for dep, stage in named.items() for phrase in sandbox.problems(dep)]


def folder_problems(stages: dict[str, Stage]) -> list[str]:
    """Packages that are folders, of which an edit would not run preflight again: no key would be renewed."""
    deps = [Path(dep) for stage in stages.values() if stage.module == "stages.preflight" for dep in stage.deps]
    locks = [lock for dep in deps for lock in (dep, *dep.glob("*/uv.lock")) if lock.name == "uv.lock"]
    return [
        f"dvc.yaml: preflight: deps: found no {os.path.relpath(folder)}: want it there, as {lock} has it as a package "
        f"({name}): else DVC does not see its edits"
        for lock in locks for name, folder in sorted(locked_packages.folders(lock).items())
        if not any(folder.is_relative_to(dep.resolve()) for dep in deps)
    ]  # fmt: skip


def machine_notes(stages: dict[str, Stage], processes: int = 1) -> list[str]:
    """What stages reserve and this machine has not: right for a scheduler, whose machines may have it.

    Args:
        processes: the most that a step trains in, with a GPU for each where it needs one.

    Raises:
        UserError: `dvc repro` builds here, not a scheduler, and a stage needs more GPUs than there are.
    """
    unmet = resources.unmet({name: stage.meta for name, stage in stages.items()})
    elsewhere = SCHEDULER in os.environ or launcher.by_srun(processes)
    if "gpu" in unmet and "DVC_STAGE" in os.environ and not elsewhere and resources.gpus() < processes:
        wanted = "one here" if processes == 1 else f"{processes} here, or fewer processes"
        raise UserError(
            f"{unmet['gpu']}: want {wanted}, or machine.device: cpu; `snakemake --profile profiles/slurm` builds where "
            "there is one (docs/cluster.md)"
        )
    return [f"{phrase}; right if a scheduler finds another" for phrase in unmet.values()]


def measuring_notes(chapters: dict[str, Any]) -> list[str]:
    """Metrics that this machine cannot measure: right for a scheduler, whose machines may.

    Raises:
        UserError: `dvc repro` builds here, not a scheduler: models would answer what could not be scored.
    """
    measured = {f"suites.{name}.metrics": chapters["suites"][name] for name in chapters["evaluate"].answered()}
    measured |= {
        f"train.{name}.rewards": of_rewards(step)
        for name, step in chapters["train"].items() if isinstance(step, OwnAnswers)
    }  # fmt: skip
    lacking = [f"{where}: {line}" for where, suite in measured.items() for line in metrics.lacking(suite)]
    if lacking and "DVC_STAGE" in os.environ and SCHEDULER not in os.environ:
        raise UserError("\n".join(lacking))
    return [f"{line}; right if a scheduler finds another" for line in lacking]


def package_notes(locked: dict[str, str]) -> list[str]:
    """Packages that are installed in other versions than keys name, as after a merge that changed uv.lock."""
    others = platform.other_versions(locked)
    return [f"{', '.join(others)}: not the version in uv.lock, which keys name: run `uv sync`"] if others else []


def graph_problems(stages: dict[str, Stage]) -> list[str]:
    """Mismatches of dvc.yaml and the stages' code, and bad inputs."""
    return input_problems(stages) + [
        problem
        for stage in stages.values() if stage.module not in ("", "stages.preflight")
        for problem in graph.mismatches(stage, importlib.import_module(stage.module).main)
    ]  # fmt: skip


def stage_keys(chapters: dict[str, Any], stages: dict[str, Stage]) -> tuple[dict[str, Any], list[str]]:
    """{name of key file: content} for every stage and the graph, and mismatches of dvc.yaml, stages and params."""
    result: dict[str, Any] = {key_file.GRAPH: graph.described(stages)}
    problems = input_problems(stages)
    for stage in stages.values():
        if stage.module in ("", "stages.preflight"):
            continue
        main = importlib.import_module(stage.module).main
        problems += (mismatches := graph.mismatches(stage, main))
        if Path(stage.key_file).name in {*result, NEEDS}:
            problems.append(f"dvc.yaml: {stage.name}: its key {stage.key_file} is taken: want another name")
        if mismatches:
            continue
        spec = signature.read(main)
        names = {name: stage.flags[name] for name in spec.names}
        sections = [_section(chapters, signature.section_of(kind, names)) for kind in spec.sections.values()]
        result[Path(stage.key_file).name] = stage_key.compute(
            Path(), stage.module, *params.selected_code(sections), values=params.undecided(sections)
        )
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


def check() -> tuple[dict[str, Any], list[str]]:
    """Checks the project and returns {name of key file: content}, and what a user may want to know.

    Raises:
        UserError: with all problems, a line each.
    """
    chapters, problems = decode(params.load(FILE))
    problems += project_problems(chapters)
    contents = {}
    if problems:
        with contextlib.suppress(UserError):  # without right params the graph may be none
            problems += graph_problems(graph.stages(Path()))
    else:
        stages = graph.stages(Path())
        contents, problems = stage_keys(chapters, stages)
        problems += folder_problems(stages)
        contents[NEEDS] = needs(chapters["base"], chapters["train"])
    if problems:
        raise UserError("\n".join(problems))
    notes = machine_notes(stages, max(step.processes for step in chapters["train"].values())) + licences.notes(chapters)
    notes += quantization_checks.size_notes(chapters["base"], chapters["quantize"])
    return contents, notes + measuring_notes(chapters) + package_notes(locked_packages.versions(Path("uv.lock")))


def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--keys", type=Path, required=True)
    folder = parser.parse_args().keys
    try:
        parse_cache.load(Path())
        contents, notes = check()
        parse_cache.save(Path())
        write(contents, folder)
    except UserError as error:
        sys.exit(str(error))
    for note in notes:
        print(f"preflight: {note}")
    print(f"preflight: params.yaml is valid; {len(contents.keys() - {key_file.GRAPH, NEEDS})} keys")


if __name__ == "__main__":
    main()
