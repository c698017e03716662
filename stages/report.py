"""Writes one self-contained page about the build, which asks nothing of the network: verdict, graph, rows, losses,
scores, quantized files, answers side by side, lineage.

Inputs:  graph      keys/graph.json
         raw        the raw data, a folder or a file
         splits     folder of held-out and training rows
         mixed      folder of the rows that training sees
         models     folder of every model, adapter and quantized file
         data, trained, evaluations, comparison, gate, parity  what the stages before wrote
         templates  folder of Jinja templates, one a chapter of the page, and its script
         look       folder of what every page has: style, macros
Outputs: report     one HTML file
Params:  report; and those that it shows: machine, ingest, clean, dedup, split, augment, mix, base, train, suites,
         evaluate, compare, quantize, parity, card

No clock and no commit: a build comes before its commit, and two clones build the same bytes. The page gives hashes,
which lead to the commit.
"""

from pathlib import Path
from typing import Any

import msgspec

from modelmake import artifacts, harness
from modelmake.signature import In, Out
from stages.evaluating import scoring
from stages.params.augmentation import Augment
from stages.params.cleaning import Clean
from stages.params.data import Dedup, Ingest, Mix, Split
from stages.params.evaluation import AnySuite, Compare, Evaluate
from stages.params.machine import Machine
from stages.params.release import Card, Parity, Quant, Report
from stages.params.training import Base, Step
from stages.reporting import answers_table, charts, graph_lanes, html, item_files, summaries

DATA_STAGES = ("ingest", "clean", "dedup", "split", "mix")
DROPS = ("rejected", "dropped", "duplicates", "leaks", "contaminated", "unmixed")  # stems of tables of dropped rows
CHAPTERS = {  # template -> its name in the contents
    "verdict": "Verdict",
    "graph": "The build",
    "rows": "Rows",
    "training": "Training",
    "scores": "Models",
    "quantized": "Quantized files",
    "answers": "Answers",
    "lineage": "Lineage",
}


def measure(graph: dict[str, Any], raw: Path, *folders: Path) -> dict[str, artifacts.Artifact]:
    """The raw data, and every declared output that is in one of the folders, by path."""
    outs = (Path(out) for node in graph.values() for out in node["outs"])
    found = {raw, *(out for out in outs if any(out.is_relative_to(folder) for folder in folders))}
    return {str(path): artifacts.measure(path) for path in sorted(found)}


def drops(graph: dict[str, Any], reports: dict[str, dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Every reason with its rows, most first; and the files that list the rows."""
    found = [
        {"stage": stage, "reason": reason, "rows": n}
        for stage, counts in reports.items()
        for reason, n in counts["dropped"].items()
    ]
    listed = [o for stage in reports for o in graph.get(stage, {"outs": []})["outs"] if Path(o).stem in DROPS]
    return sorted(found, key=lambda drop: -drop["rows"]), listed


def changes(file: list[scoring.Answer], model: list[scoring.Answer], metric: str) -> dict[str, int]:
    """How many answers of a quantized file are its model's, how many rows it alone gets wrong, or alone right."""
    pairs = list(zip(file, model, strict=True))
    rights = [(answers_table.right(a, metric), answers_table.right(b, metric)) for a, b in pairs]
    same = sum(a.answer == b.answer for a, b in pairs)
    return {"same": same, "worse": rights.count((False, True)), "better": rights.count((True, False))}


def quantized(
    build: summaries.Build,
    models: dict[str, str],
    bounds: dict[str, Parity],
    answers: dict[str, list[scoring.Answer]],
    metric: str,
) -> list[dict[str, Any]]:
    """Every quantized file beside the model it was made of, largest first, with what it is allowed to differ."""
    found = []
    for name, model in models.items():
        sizes = summaries.taken_and_given(build, f"quantize@{name}")
        compared = changes(answers[name], answers[model], metric)
        found.append(
            {
                "name": name,
                "model": model,
                "of": sizes[0],
                "size": sizes[1],
                "allowed": bounds[name],
                **build.parity[name],
                **compared,
            }
        )
    return sorted(found, key=lambda file: (-file["size"], file["name"]))


def main(
    graph: In, raw: In, splits: In, mixed: In, models: In, data: In, trained: In, evaluations: In, comparison: In,
    gate: In, parity: In, templates: In, look: In, report: Out, params: Report, machine: Machine, ingest: Ingest,
    clean: Clean, dedup: Dedup, split: Split, augment: Augment, mix: Mix, base: Base, train: dict[str, Step],
    suites: dict[str, AnySuite], evaluate: Evaluate, compared: Compare, quantize: dict[str, Quant],
    alike: dict[str, Parity], card: Card,
) -> str:  # fmt: skip
    item_files.check(parity, quantize)
    item_files.check(trained, ["base", *train])
    nodes, found, suite = read(graph), read(comparison), compared.suite
    item_files.declared(models, (out for node in nodes.values() for out in node["outs"]))
    order = graph_lanes.rows(graph_lanes.reduced(nodes))
    runs = ["base", *(row.stage.partition("@")[2] for row in order if nodes[row.stage]["module"] == "stages.train")]
    build = summaries.Build(
        graph=nodes,
        data={name: read(data / f"{name}.json") for name in (*DATA_STAGES, "augment")},
        logs={name: read(trained / f"{name}.json") for name in runs},
        rows={name: step.rows for name, step in train.items()},
        comparison=found,
        asked={name: read(evaluations / f"{evaluate.models[0]}-{name}.json")["rows"] for name in found},
        gate=read(gate),
        parity={name: read(parity / f"{name}.json") for name in sorted(quantize)},
        artifacts=measure(nodes, raw, splits, mixed, models),
    )

    def answered(model: str, suite: str) -> list[scoring.Answer]:
        return scoring.read(evaluations / f"{model}-{suite}.jsonl")

    subject = card.model if card.model in evaluate.models else evaluate.models[-1]
    headline = summaries.headline(found[suite][subject])
    by_model = {model: answered(model, suite) for model in evaluate.models}
    by_file = {name: scoring.read(parity / f"{name}.jsonl") for name in build.parity}
    starts = {name: quantize[name].from_ for name in build.parity}
    kept = summaries.headline(next(iter(build.parity.values()))["metrics"])
    files = quantized(build, starts, alike, {m: answered(m, suite) for m in starts.values()} | by_file, kept)
    questions, wrong = answers_table.questions(
        by_model | {file["name"]: by_file[file["name"]] for file in files},
        subject, compared.baseline, headline, params.examples,
    )  # fmt: skip
    dropped, listed = drops(nodes, {name: build.data[name] for name in DATA_STAGES})
    label = suites[suite].label
    values = {
        "params": params, "card": card, "train": train, "compared": compared, "chapters": CHAPTERS,
        "build": build, "gate": build.gate, "runs": runs, "subject": subject, "headline": headline,
        "rights": {m: sum(answers_table.right(a, headline) for a in answers) for m, answers in by_model.items()},
        "asked": build.asked[suite],
        "lanes": order, "columns": 1 + max(c for row in order for c in (row.column, *row.below)),
        "numbers": {row.stage: number for number, row in enumerate(order, 1)},
        "makers": graph_lanes.makers(nodes),
        "summaries": {name: summaries.tell(build, name) for name in nodes},
        "drops": dropped, "listed": listed,
        "curves": {run: charts.loss(run, log["history"]) for run, log in build.logs.items()
                   if any(entry.get(key) is not None for entry in log["history"] for key in charts.KINDS)},
        "label": label, "mistakes": answers_table.mistaken(by_model[subject], label) if label else [],
        "files": files, "kept": kept,
        "quality": charts.quality(kept, files),
        "questions": questions, "by_file": tuple(by_file), "wrong": wrong,
        "raw": str(raw), "splits": str(splits), "mixed": str(mixed),
        "subject_path": summaries.measured(build, f"evaluate@{subject}-{suite}", "deps")[0],
        "raw_rows": {file: sum(seen.values()) for file, seen in build.data["ingest"]["formats"].items()},
        "split_rows": {f"{part}/{kind}.jsonl": n for part, kinds in build.data["split"]["splits"].items()
                       for kind, n in kinds.items()},
        "mixed_rows": {f"{kind}.jsonl": told["rows"] for kind, told in build.data["mix"]["kinds"].items()},
        "parameters": {
            "machine": machine, "ingest": ingest, "clean": clean, "dedup": dedup, "split": split,
            "augment": augment, "mix": mix, "base": base, "train": train, "suites": suites, "evaluate": evaluate,
            "compare": compared,
            "quantize": dict(sorted(quantize.items())), "parity": dict(sorted(alike.items())),
            "card": card, "report": params,
        },
    }  # fmt: skip
    scripts = [charts.library(), (templates / "page.js").read_text("utf-8")]
    report.write_text(html.render([templates, look], "page.html", values, scripts), "utf-8")
    return f"gates {build.gate['verdict']}; look at reports/index.html, reports/card.md and reports/metrics.json"


def read(file: Path) -> Any:
    return msgspec.json.decode(file.read_bytes())


if __name__ == "__main__":
    harness.run(main)
