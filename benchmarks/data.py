"""Rows a second and peak memory of every data stage, at 10,000, 100,000 and a million rows.

    uv run python benchmarks/data.py [--rows 10000 …] [--data ../shared/data] [--json]

Rows are chats of three to six sentences, drawn at random from real texts (the PostgreSQL manual, GSM8K, SVAMP,
WikiSQL). One in ten is a copy of another with a few edits, one in fifty has an e-mail address, one in a hundred a
refusal, so that every stage has work. `dvc repro` runs the stages one after the other with the default's parameters,
one thread each. Figures are those of the run log: seconds include the start of Python and the harness, rows are those
that a stage reads.
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


def write_chats(count: int, pool: list[str], file: Path) -> None:
    """Writes `count` chats of sentences from the pool, one a line."""
    rng, originals = random.Random(1), []
    with file.open("w", encoding="utf-8") as out:
        for number in range(count):
            question = " ".join(rng.choices(pool, k=rng.randint(1, 2)))
            answer = " ".join(rng.choices(pool, k=rng.randint(2, 4)))
            if number % 10 == 1:
                question, answer = rng.choice(originals)
                answer = mutated(answer, pool, rng)
            elif number % 50 == 2:
                question += f" Write to user{number}@example.com."
            elif number % 100 == 3:
                answer = "I'm sorry, but I cannot answer that."
            if len(originals) < 10_000:
                originals.append((question, answer))
            turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            out.write(json.dumps({"messages": turns}) + "\n")


def measure(count: int, pool: list[str]) -> dict[str, dict[str, Any]]:
    """{stage: figures} of a build of `count` rows."""
    with tempfile.TemporaryDirectory() as name:
        project = clone(Path(name).resolve())
        (project.path / "dvc.lock").unlink()
        for default_file in (project.path / "data/raw").iterdir():
            default_file.unlink()
        write_chats(count, pool, project.path / "data/raw/chats.jsonl")
        project.repro(*STAGES[-2:])
        lines = map(json.loads, project.read(".dvc/cache/modelmake/runs.jsonl").splitlines())
        runs = {run["stage"]: run for run in lines}
        rows = {stage: project.json(f"reports/data/{stage}.json")["in"] for stage in STAGES[:-1]}
        rows["datasheet"] = project.json("reports/data/split.json")["out"]
    return {
        stage: {
            "rows": rows[stage],
            "seconds": runs[stage]["seconds"],
            "rows_per_s": round(rows[stage] / runs[stage]["seconds"]),
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
    results = {count: measure(count, pool) for count in arguments.rows}
    if arguments.json:
        print(json.dumps(results))
        return
    for count, stages in results.items():
        for stage, figures in stages.items():
            columns = "  ".join(f"{name} {value:>9,}" for name, value in figures.items())
            print(f"{count:>9,}  {stage:9} {columns}")


if __name__ == "__main__":
    main()
