"""Rows a second and peak memory of every data stage, at 10,000, 100,000 and a million rows.

    uv run python benchmarks/data.py [--rows 10000 …] [--data ../shared/data] [--json]

Rows: chats of three to six sentences of real texts (the PostgreSQL manual, GSM8K, SVAMP, WikiSQL), drawn at random. One
in ten is a copy with a few edits of another, one in fifty has an e-mail address, one in a hundred a refusal, so that
every stage has something to find. The stages are those of the graph with the default's parameters, run one after the
other by `dvc repro`, one thread each; figures are those of the run log: seconds with the start of Python and the
harness in them, rows by what a stage takes in.
"""

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.dedup import mutated, sentences
from tests.conftest import ROOT, clone

STAGES = ("ingest", "clean", "dedup", "split", "mix", "datasheet")


def chats(count: int, pool: list[str], file: Path) -> None:
    """Writes so many chats."""
    chance, kept = random.Random(1), []
    with file.open("w", encoding="utf-8") as out:
        for number in range(count):
            asked = " ".join(chance.choices(pool, k=chance.randint(1, 2)))
            answer = " ".join(chance.choices(pool, k=chance.randint(2, 4)))
            if number % 10 == 1:
                asked, answer = chance.choice(kept)
                answer = mutated(answer, pool, chance)
            elif number % 50 == 2:
                asked += f" Write to user{number}@example.com."
            elif number % 100 == 3:
                answer = "I'm sorry, but I cannot answer that."
            if len(kept) < 10_000:
                kept.append((asked, answer))
            turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
            out.write(json.dumps({"messages": turns}) + "\n")


def measured(count: int, pool: list[str]) -> dict[str, dict[str, Any]]:
    """{stage: figures} of a build of so many rows."""
    with tempfile.TemporaryDirectory() as name:
        project = clone(Path(name).resolve())
        (project.path / "dvc.lock").unlink()
        for old in (project.path / "data/raw").iterdir():
            old.unlink()
        chats(count, pool, project.path / "data/raw/chats.jsonl")
        project.repro(*STAGES[-2:])
        lines = map(json.loads, project.read(".dvc/cache/modelmake/runs.jsonl").splitlines())
        runs = {run["stage"]: run for run in lines}
        taken = {stage: project.json(f"reports/data/{stage}.json")["in"] for stage in STAGES[:-1]}
        taken["datasheet"] = project.json("reports/data/split.json")["out"]
    return {
        stage: {
            "rows": taken[stage],
            "seconds": runs[stage]["seconds"],
            "rows_per_s": round(taken[stage] / runs[stage]["seconds"]),
            "peak_mib": runs[stage]["peak_mib"],
        }
        for stage in STAGES
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    pool = sentences(arguments.data)
    found = {count: measured(count, pool) for count in arguments.rows}
    if arguments.json:
        print(json.dumps(found))
        return
    for count, stages in found.items():
        for stage, figures in stages.items():
            told = "  ".join(f"{name} {value:>9,}" for name, value in figures.items())
            print(f"{count:>9,}  {stage:9} {told}")


if __name__ == "__main__":
    main()
