"""Answers to the default's held-out chats, and new scores of answers that are there, in CPU seconds of one thread.

    uv run python benchmarks/generation.py [--runs 3] [--project FOLDER] [--json]

The default's models are built in a clone (--project: one that has them). Each of them answers every held-out chat in
float32, in three ways (benchmarks/generation_runs.py), in turn, each in a process of its own: row by row by
transformers' `generate`, in batches by `generate` as the stage did until it had a loop of its own, and by the stage
`answer`. Then the stage `evaluate` scores the kept answers with one metric more. `against_loop` and `against_before`
are ratios of the medians over the runs, all models together; above 1 is for the stage. `equal_answers`: all ways give
the same answers to the letter. `rescore` is how many times faster the new metric is there than by generating.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
WAYS = ("loop", "before", "ours", "rescore")
STAGES = ("split", "merge@dpo")  # what makes the rows and the models


def built(folder: Path) -> Path:
    """A clone with the default's models and rows."""
    from tests.conftest import clone

    print(clone(folder).repro(*STAGES), file=sys.stderr)
    return folder


def measure(project: Path, runs: int, folder: Path) -> dict[str, Any]:
    """The figures of every model, and of all together."""
    from benchmarks.training import run
    from stages.evaluating import answer_file

    models = sorted(config.parent for config in (project / "models").glob("*/config.json"))
    seconds: dict[str, dict[str, list[float]]] = {model.name: {way: [] for way in WAYS} for model in models}
    equal = True
    for _ in range(runs):
        for model in models:
            answers = set()
            for way in WAYS:
                kept = folder / model.name / ("ours" if way == "rescore" else way)
                kept.mkdir(parents=True, exist_ok=True)
                specification = {
                    "model": str(model), "rows": str(project / "data/splits/test/chat.jsonl"), "folder": str(kept),
                }  # fmt: skip
                found = run(way, specification, folder, "generation_runs.py")["cpu_s"]
                seconds[model.name][way].append(found)
                answers.add(tuple((row.id, *row.answers) for row in answer_file.read(kept / "answers.jsonl")))
                print(model.name, way, round(found, 2), file=sys.stderr)
            equal = equal and len(answers) == 1
    medians = {name: {way: statistics.median(of[way]) for way in WAYS} for name, of in seconds.items()}
    total = {way: sum(of[way] for of in medians.values()) for way in WAYS}
    return {
        "against_loop": round(total["loop"] / total["ours"], 2),
        "against_before": round(total["before"] / total["ours"], 2),
        "equal_answers": equal,
        "rescore": round(total["ours"] / total["rescore"], 1),
        "rows": len((project / "data/splits/test/chat.jsonl").read_bytes().splitlines()),
        "cpu_s": {name: {way: round(value, 3) for way, value in of.items()} for name, of in medians.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--project", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "clone").mkdir()
        project = arguments.project or built(Path(name) / "clone")
        figures = measure(project, arguments.runs, Path(name))
    if arguments.json:
        print(json.dumps(figures))
        return
    for model, of in figures["cpu_s"].items():
        print(f"{model:6}", *(f"{way} {value:8.3f} s" for way, value in of.items()))
    print(*(f"{name}: {figures[name]}" for name in ("against_loop", "against_before", "equal_answers", "rescore")))


if __name__ == "__main__":
    main()
