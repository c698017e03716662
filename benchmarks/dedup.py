"""Near-duplicates in 300,000 rows: modelmake beside datasketch, rensa and datatrove, in one run, on the same rows.

    uv run python benchmarks/dedup.py [--rows 300000] [--data ../shared/data] [--json]

A third of the rows are eight to twelve random sentences of real texts (the PostgreSQL manual, GSM8K, SVAMP, WikiSQL),
some 1,000 characters. The others are copies of these with 1 to 60 random edits (words mistyped, left out, doubled or
moved) and sometimes one more sentence, so that similarities lie on both sides of 0.85. Precision and recall of a tool's
pairs are against all pairs of at least 0.85, found exactly (benchmarks/dedup_exact.py). Every tool runs in its own
process, with one thread, on the same file, slow ones on its first rows only. CPU seconds are measured from texts in
memory to pairs; of datatrove, which works on folders, for its first three steps. Of tools that find clusters rather
than pairs, all pairs within a cluster count.

Then the stage `dedup` as a whole on sets of chats (benchmarks/dedup_sets.py): how many it keeps and how many
it drops wrongly.
"""

import argparse
import bz2
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SET_ROWS = 6000  # of each of the sets, at most
MAX_ROWS = {"datasketch_loop": 10_000, "datasketch_bulk": 60_000, "datatrove": 20_000}  # of slow tools
PROJECT_TOOLS = ("modelmake", "datasketch_loop", "datasketch_bulk")  # run in the project's environment
PEER_TOOLS = ("rensa", "datatrove")  # run in envs/dedup_peers


def sentences(data: Path) -> list[str]:
    """The distinct sentences of 20 to 400 characters of the real texts, sorted."""
    texts = [json.loads(line)["text"] for line in (data / "pgdocs14/pgdocs14.jsonl").open("rb")]
    for name in ("train", "test"):
        texts += [text for line in (data / f"gsm8k/{name}.jsonl").open("rb") for text in json.loads(line).values()]
    texts += [f"{item['Body']}. {item['Question']}" for item in json.loads((data / "svamp/SVAMP.json").read_bytes())]
    with bz2.open(data / "wikisql/wikisql.json.bz2", "rt", encoding="utf-8") as file:
        texts += re.findall(r'"question":\s*"([^"]+)"', file.read())
    parts = {" ".join(part.split()) for text in texts for part in re.split(r"(?<=[.?!])\s+|\n\n", text)}
    return sorted(part for part in parts if 20 <= len(part) <= 400)


def make_rows(count: int, data: Path) -> list[str]:
    chance, pool = random.Random(1), sentences(data)
    rows = [" ".join(chance.choices(pool, k=chance.randint(8, 12))) for _ in range(count // 3)]
    rows += [mutated(chance.choice(rows[: count // 3]), pool, chance) for _ in range(count - len(rows))]
    chance.shuffle(rows)
    return rows


def mutated(text: str, pool: list[str], chance: random.Random) -> str:
    """The text with 1 to 60 random edits of words, and sometimes one more sentence."""
    words = text.split()
    for _ in range(chance.choice((1, 2, 3, 5, 8, 12, 20, 35, 60))):
        at, edit = chance.randrange(len(words)), chance.randrange(4)
        if edit == 0:
            words[at] = words[at][:1] + words[at][2:] + chance.choice("aeiou")
        elif edit == 1 and len(words) > 20:
            del words[at]
        elif edit == 2:
            words.insert(at, words[at])
        else:
            words.insert(chance.randrange(len(words)), words.pop(at))
    return " ".join([*words, chance.choice(pool)] if chance.random() < 0.1 else words)


def run(tool: str, texts: Path, count: int, folder: Path) -> dict[str, Any]:
    """Runs a tool on the first `count` texts: its result, as benchmarks/dedup_tools.py writes it."""
    result = folder / f"{tool}.json"
    python: list[str | Path] = [sys.executable]
    if tool in PEER_TOOLS:
        python = ["uv", "run", "-q", "--project", ROOT / "envs/dedup_peers", "--frozen", "python"]
    command = [*python, ROOT / "benchmarks/dedup_tools.py", tool, texts, count, result]
    one_thread = {name: "1" for name in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "NUMBA_NUM_THREADS")}
    subprocess.run(list(map(str, command)), check=True, cwd=ROOT, env={**os.environ, **one_thread}, stdout=sys.stderr)
    return json.loads(result.read_bytes())


def score(result: dict[str, Any], exact: list[tuple[int, int]], count: int) -> dict[str, Any]:
    """The figures of a tool that ran on the first `count` rows; precision and recall are against the `exact` pairs."""
    expected = {pair for pair in exact if pair[1] < count}
    pairs = {(min(p), max(p)) for p in map(tuple, result.pop("pairs"))}
    figures = {"rows": count, "rows_per_s": round(count / result.pop("s"))}
    if "signature_s" in result:
        figures["signature_rows_per_s"] = round(count / result.pop("signature_s"))
    figures["precision"] = round(len(pairs & expected) / max(len(pairs), 1), 5)
    figures["recall"] = round(len(pairs & expected) / max(len(expected), 1), 5)
    return {**figures, **{name: round(value, 3) for name, value in result.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--tools", nargs="+", choices=PROJECT_TOOLS + PEER_TOOLS, default=PROJECT_TOOLS + PEER_TOOLS)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from benchmarks.dedup_sets import outcome

    with tempfile.TemporaryDirectory() as name:
        texts = Path(name) / "texts.json"
        texts.write_text(json.dumps(make_rows(arguments.rows, arguments.data)))
        exact = [tuple(pair) for pair in run("exact", texts, arguments.rows, Path(name))["pairs"]]
        counts = {tool: min(arguments.rows, MAX_ROWS.get(tool, arguments.rows)) for tool in arguments.tools}
        tools = {t: score(run(t, texts, n, Path(name)), exact, n) for t, n in counts.items()}
    result = {"rows": arguments.rows, "pairs": len(exact), "tools": tools, **outcome(arguments.data, SET_ROWS)}
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"{arguments.rows} rows, {len(exact)} pairs of them at 0.85 or above")
    for tool, figures in tools.items():
        print(f"{tool:16}", "  ".join(f"{name} {value}" for name, value in figures.items()))
    for kind, figures in result["sets"].items():
        print(f"{kind:16}", "  ".join(f"{name} {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
