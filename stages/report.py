"""Writes one self-contained page about the build, without any network access: verdict, graph, rows, losses, scores,
quantized files, answers side by side, lineage.

Inputs:  graph      keys/graph.json
         raw        the raw data, a folder or a file
         splits     folder of held-out and training rows
         mixed      folder of the rows that training sees
         models     folder of every model, adapter and quantized file
         data       folder of the data stages' reports
         trained    folder of training logs, and of reports of combinations
         evaluations  folder of <model>-<suite>.jsonl and .json, as `evaluate` and `lm_eval` wrote them, and
                    <model>-<suite>.judge.json, as `judge` did
         comparison, gate  JSON, as `compare` wrote them
         weighed    folder of <fine-tune>.json, as `weigh` wrote them; may be empty
         examined   folder of <examination>.json and .jsonl, as `examine` wrote them; may be empty
         parity_results  folder of <quant>.jsonl and .json, as `parity` wrote them
         templates  folder of Jinja templates, one a chapter of the page
         layout     folder of the base template, style, script and macros that pages share
Outputs: page       one HTML file
Params:  report; and those that it shows: machine, ingest, clean, dedup, split, augment, mix, base, train, combine,
         adopt, answer, suites, evaluate, compare, quantize, answer_quantized, parity, card

The page holds no clock and no commit: a build comes before its commit, and two clones build the same bytes. Its hashes
lead to the commit.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake import harness
from modelmake.artifacts import Artifact
from modelmake.signature import In, Measured, Out
from stages.evaluating import scoring
from stages.params.adoption import Adoption
from stages.params.answering import Answering, Runtime
from stages.params.augmentation import Augment
from stages.params.base_model import Base
from stages.params.cleaning import Clean
from stages.params.combination import Combination
from stages.params.data import Dedup, Ingest, Mix, Split
from stages.params.evaluation import AnySuite, Compare, Evaluate
from stages.params.machine import Machine
from stages.params.release import Card, Parity, Quant, Report
from stages.params.training import Step, in_order
from stages.reporting import chapters, charts, html, item_files, step_rows
from stages.reporting.build import Build, main_metric, parts
from stages.reporting.chapters import Subject


class Inputs(NamedTuple):
    graph: In
    raw: In
    splits: In
    mixed: In
    models: In
    data: In
    trained: In
    evaluations: In
    comparison: In
    gate: In
    weighed: In
    examined: In
    parity_results: In
    templates: In
    layout: In


class Sections(NamedTuple):
    """Sections of params.yaml by name, in the order in which the page shows them."""

    machine: Machine
    ingest: Ingest
    clean: Clean
    dedup: Dedup
    split: Split
    augment: Augment
    mix: Mix
    base: Base
    train: dict[str, Step]
    combine: dict[str, Combination]
    adopt: dict[str, Adoption]
    answer: dict[str, Answering]
    suites: dict[str, AnySuite]
    evaluate: Evaluate
    compare: Compare
    quantize: dict[str, Quant]
    answer_quantized: dict[str, Runtime]
    parity: dict[str, Parity]
    card: Card
    report: Report


def read_build(inputs: Inputs, sections: Sections, measured: Mapping[str, Artifact]) -> Build:
    """The build that the page shows. `measured` is {input: its hashes}.

    Raises:
        UserError: files of items that params.yaml no longer declares.
    """
    item_files.check(inputs.parity_results, sections.quantize)
    item_files.check(inputs.trained, ["base", *sections.train, *sections.combine])
    graph, comparison = read(inputs.graph), read(inputs.comparison)
    for folder in (inputs.models, inputs.weighed, inputs.examined):
        item_files.check_outputs(folder, (out for node in graph.values() for out in node["outs"]))
    examined = _items(inputs.examined)
    data = {name: read(inputs.data / f"{name}.json") for name in (*chapters.FUNNEL_STAGES, "augment")}
    logs = {name: read(inputs.trained / f"{name}.json") for name in ("base", *sections.train)}
    models, suite, quants = sections.evaluate.models, sections.compare.suite, sorted(sections.quantize)
    return Build(
        graph=graph,
        data=data,
        logs=logs,
        step_rows={
            name: step_rows.count(step.rows, logs[name], data["mix"], inputs.trained / f"{name}.consumed.jsonl")
            for name, step in sections.train.items()
        },
        distances={name: read(inputs.trained / f"{name}.json") for name in sections.combine},
        comparison=comparison,
        scores={name: {m: _scores(inputs.evaluations, f"{m}-{name}") for m in models} for name in comparison},
        gate=read(inputs.gate),
        weighed=_items(inputs.weighed),
        examined=examined,
        regressions={
            name: [msgspec.json.decode(line) for line in (inputs.examined / f"{name}.jsonl").read_bytes().splitlines()]
            for name in examined
        },
        parity={name: read(inputs.parity_results / f"{name}.json") for name in quants},
        answers={name: scoring.read(inputs.evaluations / f"{name}-{suite}.jsonl") for name in models},
        file_answers={name: scoring.read(inputs.parity_results / f"{name}.jsonl") for name in quants},
        artifacts=parts(
            graph, measured, str(inputs.raw), [str(path) for path in (inputs.splits, inputs.mixed, inputs.models)]
        ),
    )


def subject_of(build: Build, sections: Sections) -> Subject:
    """The model of the card, or the last evaluated one if that was not evaluated."""
    models, compare = sections.evaluate.models, sections.compare
    model = sections.card.model if sections.card.model in models else models[-1]
    metric = main_metric(build.comparison[compare.suite][model])
    return Subject(model, compare.baseline, compare.suite, metric)


def page_values(build: Build, inputs: Inputs, sections: Sections) -> dict[str, Any]:
    """The values that the templates are filled with."""
    subject = subject_of(build, sections)
    quantized = chapters.quantized(build, sections.quantize, sections.parity)
    files = [file["name"] for file in quantized["files"]]
    return {
        "chapters": chapters.titles(build),
        "build": build,
        "gate": build.gate,
        "subject": subject.model,
        "metric": subject.metric,
        "title": sections.report.title or sections.card.name,
        "card": sections.card,
        "train": sections.train,
        "compare": sections.compare,
        **chapters.graph(build),
        **chapters.rows(build, inputs.mixed),
        **chapters.training(build),
        **chapters.scores(build, subject, sections.suites[subject.suite].label),
        **chapters.regressions(build),
        **quantized,
        **chapters.answers(build, subject, files, sections.report.examples),
        **chapters.lineage(build, subject, inputs.raw, inputs.splits, inputs.mixed),
        "parameters": sections._replace(
            quantize=dict(sorted(sections.quantize.items())), parity=dict(sorted(sections.parity.items()))
        )._asdict(),
    }


def main(inputs: Inputs, sections: Sections, page: Out, measured: Measured) -> str:
    sections = sections._replace(train=in_order(sections.train))
    build = read_build(inputs, sections, measured)
    values = page_values(build, inputs, sections)
    scripts = [charts.library(), (inputs.layout / "page.js").read_text("utf-8")]
    page.write_text(html.render([inputs.templates, inputs.layout], "page.html", values, scripts), "utf-8")
    return f"gates {build.gate['verdict']}; look at reports/index.html, reports/card.md and reports/metrics.json"


def _scores(folder: Path, item: str) -> dict[str, Any]:
    """What is told of a model's answers to a suite; under `rubrics` what its judge tells, if it has one."""
    judged = folder / f"{item}.judge.json"
    return read(folder / f"{item}.json") | ({"rubrics": read(judged)["rubrics"]} if judged.is_file() else {})


def _items(folder: Path) -> dict[str, Any]:
    """{item: content} of the JSON files in a folder."""
    return {file.stem: read(file) for file in sorted(folder.glob("*.json")) if not file.name.startswith(".")}


def read(file: Path) -> Any:
    return msgspec.json.decode(file.read_bytes())


if __name__ == "__main__":
    harness.run(main)
