"""How fast `modelmake trace` answers over a long history: real git commits, dvc.lock files, Parquet and JSONL objects.

    uv run python benchmarks/trace.py [--commits 500] [--rows 100000] [--data-versions 20] [--json]

The history is made in a temporary folder: rows are added in as many steps as there are versions of the data, and every
commit trains anew, on 99 of a hundred rows. The command itself is run three times for each question, and the fastest
counts, in wall time and in CPU time (the machine may do other work); `cold` is the first question, which reads the
history.
"""

import argparse
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.made_up_history import MadeUpProject, chat, jsonl, parquet  # noqa: E402

WORDS = (ROOT / "LICENSE").read_text().lower().split()
NEAR = {"near": {"threshold": 0.85, "shingle_chars": 5}}
LIMIT_S = 2.0


def question(number: int) -> str:
    """Sixty words, different for each number."""
    return " ".join(random.Random(number).choices(WORDS, k=60))


def commit_history(project: MadeUpProject, commits: int, rows: int, versions: int) -> None:
    lines, sources, ids = [], [], []
    splits: dict[str, str] = {}
    for commit in range(commits):
        count = rows * (commit * versions // commits + 1) // versions
        if count > len(ids):
            for number in range(len(ids), count):
                id = hashlib.sha256(str(number).encode()).hexdigest()[:24]
                ids.append(id)
                sources.append((id, "rows.jsonl", number + 1))
                lines.append(jsonl(chat(id, question(number), str(number))))
            splits = add_data_stages(project, lines, sources, ids)
        consumed = [id for number, id in enumerate(ids) if (number + commit) % 100]
        random.Random(commit).shuffle(consumed)
        add_training(project, splits, consumed, commit)
        project.commit(f"Learning rate {commit}")


def add_data_stages(project: MadeUpProject, lines: list[bytes], sources: list[tuple], ids: list[str]) -> dict[str, str]:
    """The stages from raw rows to splits: a tenth is for test, a hundredth are duplicates, a hundredth is dropped."""
    unique_lines = [line for number, line in enumerate(lines) if number % 100 > 1]
    raw = hashlib.md5(b"".join(lines)).hexdigest()
    ingested = project.stage(
        "ingest", {"data/raw/rows.jsonl": raw},
        {
            "data/ingested/rows.jsonl": b"".join(lines),
            "data/ingested/sources.parquet": parquet("id file line", *sources),
        },
    )  # fmt: skip
    dropped = [(id, "refusal", "i cannot") for id in ids[1::100]]
    cleaned = project.stage(
        "clean", {"data/ingested/rows.jsonl": ingested["data/ingested/rows.jsonl"]},
        {
            "data/cleaned/rows.jsonl": b"".join(line for number, line in enumerate(lines) if number % 100 != 1),
            "data/cleaned/dropped.parquet": parquet("id reason detail", *dropped),
        },
    )  # fmt: skip
    duplicates = [(id, ids[number * 100 + 2], "near_duplicate", 0.9) for number, id in enumerate(ids[::100])]
    unique = project.stage(
        "dedup", {"data/cleaned/rows.jsonl": cleaned["data/cleaned/rows.jsonl"]},
        {
            "data/unique.jsonl": b"".join(unique_lines),
            "data/duplicates.parquet": parquet("id kept reason similarity", *duplicates),
        },
        {"dedup": NEAR},
    )  # fmt: skip
    parts = {
        "test": b"".join(unique_lines[::10]),
        "train": b"".join(line for number, line in enumerate(unique_lines) if number % 10),
    }
    project.stage(
        "split", {"data/unique.jsonl": unique["data/unique.jsonl"]},
        {"data/splits": {f"{part}/chat.jsonl": content for part, content in parts.items()}},
    )  # fmt: skip
    return {part: project.store(content) for part, content in parts.items()}


def add_training(project: MadeUpProject, splits: dict[str, str], consumed: list[str], commit: int) -> None:
    """A training step, its merge and a quantized file."""
    batches = [consumed[i : i + 32] for i in range(0, len(consumed), 32)]
    trained = project.stage(
        "train@sft", {"data/splits/train/chat.jsonl": splits["train"], "models/base": "0" * 32 + ".dir"},
        {
            "models/trained/sft": {"adapter_model.safetensors": f"adapter {commit}".encode()},
            "reports/train/sft.consumed.jsonl": jsonl(*({"step": n, "ids": ids} for n, ids in enumerate(batches, 1))),
        },
        {"train.sft": {"learning_rate": commit / 1e6, "seed": 42, "num_train_epochs": 1}},
    )  # fmt: skip
    merged = project.stage(
        "merge@sft", {"models/trained/sft": trained["models/trained/sft"], "models/base": "0" * 32 + ".dir"},
        {"models/sft": {"model.safetensors": f"merged {commit}".encode(), "config.json": b"{}"}},
    )  # fmt: skip
    project.stage(
        "quantize@Q8_0", merged, {"models/quantized/Q8_0": {"model.gguf": f"quantized {commit}".encode()}}
    )  # fmt: skip


def ask(project: MadeUpProject, *arguments: str) -> tuple[float, float, str]:
    """(wall seconds, CPU seconds, output) of the command, from start to exit."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "stages.commands.cli", "trace", *arguments]
    done = subprocess.run(command, cwd=project.root, check=True, capture_output=True, text=True)
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = now.ru_utime + now.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - started, cpu, done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commits", type=int, default=500)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--data-versions", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = MadeUpProject(Path(folder) / "project")
        commit_history(project, options.commits, options.rows, options.data_versions)
        (project.root / "model").mkdir()
        old = project.root / "model/model.gguf"
        old.write_text(f"quantized {options.commits // 2}")
        row = hashlib.sha256(b"57").hexdigest()[:24]
        words = question(57).split()
        questions = {
            "a model of the working tree": ["models/quantized/Q8_0"],
            "the same, every consumed row": ["models/quantized/Q8_0", "--json"],
            "a file of an old commit, by its bytes": [str(old)],
            "a row by its id": ["--row", row],
            "a row by FILE:LINE": ["--row", "data/raw/rows.jsonl:58"],
            "a row by a text that is nearly its own": ["--row", " ".join([*words[:-1], "tomorrow"])],
            "a row that was dropped": ["--row", "data/raw/rows.jsonl:102"],
        }
        cold, _, _ = ask(project, *questions["a model of the working tree"])
        first_row, _, output = ask(project, "--row", row, "--json")
        models = {md5 for answer in json.loads(output)["consumed"] for md5 in answer["models"].values()}
        runs = {name: [ask(project, *arguments) for _ in range(3)] for name, arguments in questions.items()}
        seconds = {name: min(wall for wall, _, _ in times) for name, times in runs.items()}
        cpu = {name: min(cpu for _, cpu, _ in times) for name, times in runs.items()}
        index = project.root / ".dvc/cache/modelmake/trace.sqlite"
        figures = {
            "commits": options.commits,
            "rows": options.rows,
            "cold_s": round(cold, 1),
            "first_row_s": round(first_row, 1),
            "index_mb": round(index.stat().st_size / 1e6, 1),
            "models_that_consumed_the_row": len(models),
            "warm_s": {name: round(wall, 2) for name, wall in seconds.items()},
            "warm_cpu_s": {name: round(cpu_s, 2) for name, cpu_s in cpu.items()},
            "within": max(seconds.values()) < LIMIT_S,
        }
    if options.json:
        print(json.dumps(figures))
        return
    print(
        f"{options.commits:,} commits, {options.rows:,} rows; {len(models):,} models consumed the row that is asked for"
    )
    print(f"cold: {cold:.1f} s for the history, {first_row:.1f} s for the first row; index {figures['index_mb']} MB")
    print("  wall     CPU")
    for name in questions:
        print(f"{seconds[name]:6.2f} {cpu[name]:6.2f} s  {name}")


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    main()
