"""Values for the templates of the page about the build, one function a chapter."""

from pathlib import Path
from typing import Any, NamedTuple

from stages.evaluating.scoring import Answer
from stages.params.release import Parity, Quant
from stages.reporting import answers_table, charts, graph_lanes, step_rows, summaries
from stages.reporting.answer_labels import confusions
from stages.reporting.build import Build, main_metric

TITLES = {  # template -> title in the table of contents
    "verdict": "Verdict",
    "alternatives": "Alternatives",
    "scores": "Models",
    "slices": "Slices",
    "regressions": "Regressions",
    "answers": "Answers",
    "training": "Training",
    "quantized": "Quantized files",
    "rows": "Rows",
    "graph": "The build",
    "lineage": "Lineage",
}
FUNNEL_STAGES = ("ingest", "clean", "dedup", "split", "mix")  # from raw rows to those that training sees
DROP_TABLES = ("rejected", "dropped", "duplicates", "leaks", "contaminated", "unmixed")  # stems of outs


class Subject(NamedTuple):
    """The model that the page is about, and what it is judged by."""

    model: str
    baseline: str
    suite: str
    metric: str


def titles(build: Build) -> dict[str, str]:
    """{template: title} of the chapters that there is something in."""
    empty = {"alternatives": not build.weighed, "slices": not build.examined, "regressions": not build.examined}
    return {name: title for name, title in TITLES.items() if not empty.get(name)}


def regressions(build: Build) -> dict[str, Any]:
    """The rows that models lost, with what differs from the expected answers marked; the choices of their search."""
    rows = [
        row
        | {
            "shown": name, "model": build.examined[name]["model"], "other": build.examined[name]["against"],
            "pieces": answers_table.mark_differences(row["expected"], row["answer"]),
            "other_pieces": answers_table.mark_differences(row["expected"], row["against"]),
        }
        for name, of_examined in build.regressions.items()
        for row in of_examined
    ]  # fmt: skip
    choices = {name: f"{entry['model']} against {entry['against']} on {entry['suite']}"
               for name, entry in build.examined.items()}  # fmt: skip
    return {"regressions": rows, "regression_choices": {"": "all"} | (choices if len(choices) > 1 else {})}


def graph(build: Build) -> dict[str, Any]:
    """The rows of the graph with their lanes, and the training runs in the same order."""
    lanes = graph_lanes.rows(graph_lanes.reduced_graph(build.graph))
    steps = (row.stage.partition("@")[2] for row in lanes if build.graph[row.stage]["module"] == "stages.train")
    return {
        "lanes": lanes,
        "columns": 1 + max(column for row in lanes for column in (row.column, *row.below)),
        "stage_numbers": {row.stage: number for number, row in enumerate(lanes, 1)},
        "producers": graph_lanes.producers(build.graph),
        "summaries": {name: summaries.summarize(build, name) for name in build.graph},
        "runs": ["base", *steps],
    }


def rows(build: Build, mixed: Path) -> dict[str, Any]:
    """Every reason for drops, most rows first; the outs that list the dropped rows; and how many were dropped in all.

    A row that several steps dropped counts once in `lost`.
    """
    reports = {stage: build.data[stage] for stage in FUNNEL_STAGES}
    drops = [
        {"stage": stage, "reason": reason, "rows": n}
        for stage, report in reports.items()
        for reason, n in report["dropped"].items()
    ]
    lost = sum(drop["rows"] for drop in drops)
    drops += [
        {"stage": f"train@{step}", "reason": reason, "rows": n}
        for step, rows in build.step_rows.items()
        for reason, n in rows.dropped.items()
    ]
    in_training = len(step_rows.dropped_ids({step: build.logs[step] for step in build.step_rows}))
    outs = (out for stage in reports if stage in build.graph for out in build.graph[stage]["outs"])
    return {
        "drops": sorted(drops, key=lambda drop: -drop["rows"]),
        "unused_kinds": {
            kind: entry["rows"]
            for kind, entry in build.data["mix"]["kinds"].items()
            if entry["rows"] and not any(str(mixed / f"{kind}.jsonl") in node["deps"] for node in build.graph.values())
        },
        "unread": [
            (file, field, entry["records"])
            for file, fields in build.data["ingest"]["unread"].items()
            for field, entry in fields.items()
        ],
        "lost": lost + in_training,
        "lost_in_training": in_training,
        "drop_tables": [out for out in outs if Path(out).stem in DROP_TABLES],
    }


def training(build: Build) -> dict[str, Any]:
    """A chart for each run that logged a loss."""
    logged = {
        run: log["history"]
        for run, log in build.logs.items()
        if any(entry.get(key) is not None for entry in log["history"] for key in charts.LOSSES)
    }
    return {"curves": {run: charts.loss(run, history) for run, history in logged.items()}}


def scores(build: Build, subject: Subject, label: str | None) -> dict[str, Any]:
    """Right answers of each model, and the subject's confusions of labels.

    Args:
        label: field of an answer that holds its label, if the suite has one.
    """
    return {
        "right_counts": {model: sum(answers_table.is_right(a, subject.metric) for a in answers)
                         for model, answers in build.answers.items()},
        "question_count": build.question_counts[subject.suite],
        "label": label,
        "confusions": confusions(build.answers[subject.model], label) if label else [],
    }  # fmt: skip


def quantized(build: Build, quants: dict[str, Quant], bounds: dict[str, Parity]) -> dict[str, Any]:
    """Every quantized file beside the model that it was made from, largest first."""
    metric = main_metric(next(iter(build.parity.values()))["metrics"])
    files = []
    for name, report in build.parity.items():
        model, stage = quants[name].from_, f"quantize@{name}"
        sizes = {"model_bytes": build.weight_bytes(stage, "deps"), "bytes": build.weight_bytes(stage, "outs")}
        compared = compare_answers(build.file_answers[name], build.answers[model], metric)
        files.append({"name": name, "model": model, **sizes, "allowed": bounds[name], **report, **compared})
    files.sort(key=lambda file: (-file["bytes"], file["name"]))
    return {"files": files, "quantized_metric": metric, "quality": charts.quality(metric, files)}


def compare_answers(file: list[Answer], model: list[Answer], metric: str) -> dict[str, int]:
    """{same: equal answers, worse: questions that only the model gets right, better: only the quantized file}."""
    pairs = list(zip(file, model, strict=True))
    right = [(answers_table.is_right(f, metric), answers_table.is_right(m, metric)) for f, m in pairs]
    same = sum(f.answer == m.answer for f, m in pairs)
    return {"same": same, "worse": right.count((False, True)), "better": right.count((True, False))}


def answers(build: Build, subject: Subject, files: list[str], examples: int) -> dict[str, Any]:
    """Questions with the answers of models and quantized files.

    Args:
        files: names of the quantized files, in the order of the page.
    """
    questions, wrong = answers_table.questions(
        build.answers | {name: build.file_answers[name] for name in files},
        subject.model, subject.baseline, subject.metric, examples,
    )  # fmt: skip
    return {"questions": questions, "wrong_count": wrong, "file_names": tuple(build.file_answers)}


def lineage(build: Build, subject: Subject, raw: Path, splits: Path, mixed: Path) -> dict[str, Any]:
    """Paths of the folders whose files are listed, with the rows in each file."""
    splits_report, mix_report = build.data["split"]["splits"], build.data["mix"]["kinds"]
    return {
        "raw": str(raw),
        "splits": str(splits),
        "mixed": str(mixed),
        "raw_rows": {file: sum(formats.values()) for file, formats in build.data["ingest"]["formats"].items()},
        "split_rows": {f"{split}/{kind}.jsonl": n for split, kinds in splits_report.items()
                       for kind, n in kinds.items()},
        "mixed_rows": {f"{kind}.jsonl": entry["rows"] for kind, entry in mix_report.items()},
        "subject_path": build.measured(f"answer@{subject.model}-{subject.suite}", "deps")[0],
    }  # fmt: skip
