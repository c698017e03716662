"""Writes the default dataset: synthetic support-desk rows with planted defects, in data/raw.

The same seed gives the same bytes. raw.manifest.json lists every planted defect with its count and lines.
"""

import argparse
import json
import os
from pathlib import Path
from random import Random

from compose import Row, minified
from defects import break_line
from mix import CHAT_DEFECTS, SPREAD_DEFECTS, make_chats, make_pairs, make_paragraphs, place_chats


def line_of(rng: Random, name: str, row: Row) -> str:
    """A row as a line of a file, in the format of that file."""
    value: object
    if name == "handbook.txt":
        return row.message
    if name == "tickets.json":
        value = {"instruction": row.message, "input": row.note, "output": row.answer}
    elif name == "chats.jsonl":
        turns = (("human", row.user), ("gpt", row.answer))
        value = {"conversations": [{"from": who, "value": text} for who, text in turns]}
    elif name == "messages.jsonl":
        turns = (("user", row.user), ("assistant", row.answer))
        value = {"messages": [{"role": who, "content": text} for who, text in turns]}
    else:
        value = {"prompt": row.user, "chosen": minified(row.answer), "rejected": row.answer}
    line = json.dumps(value, ensure_ascii=False)
    return break_line(rng, line) if row.kind == "broken_json" else line


def file_text(name: str, lines: list[str]) -> str:
    if name == "tickets.json":
        return "[\n" + ",\n".join(lines) + "\n]\n"
    return ("\n\n" if name == "handbook.txt" else "\n").join(lines) + "\n"


def line_number(name: str, index: int) -> int:
    """The line, from 1, of a file's row, from 0."""
    return {"tickets.json": index + 2, "handbook.txt": 2 * index + 1}.get(name, index + 1)


def manifest_of(seed: int, placed: dict[str, list[Row]]) -> dict[str, object]:
    """{seed, rows: {file: n}, planted: {defect: n}, where: {defect: [file:line]}} of the rows of each file."""
    where: dict[str, list[str]] = {kind: [] for kind in sorted([*CHAT_DEFECTS, *SPREAD_DEFECTS])}
    for name, rows in placed.items():
        for index, row in enumerate(rows):
            if row.kind != "natural":
                where[row.kind].append(f"{name}:{line_number(name, index)}")
    planted: dict[str, object] = {kind: len(lines) for kind, lines in where.items() if "pii_" not in kind}
    planted["pii"] = {kind.removeprefix("pii_"): len(where[kind]) for kind in where if "pii_" in kind}
    rows_of = {name: len(rows) for name, rows in placed.items()}
    return {"seed": seed, "rows": rows_of, "planted": planted, "where": where}


def write_atomic(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    os.replace(temporary, path)


def generate(out: Path, seed: int) -> dict[str, object]:
    """Writes the files below `out` and the manifest beside it, and returns the manifest."""
    # Each part has its own random stream, so that a change of one leaves the others unchanged.
    paragraphs = make_paragraphs(Random(f"{seed}:handbook"))
    chats = make_chats(Random(f"{seed}:chats"), paragraphs)
    pairs = make_pairs(Random(f"{seed}:pairs"), chats)
    placed = place_chats(Random(f"{seed}:place"), chats)
    placed |= {"preferences.jsonl": pairs, "handbook.txt": paragraphs}
    out.mkdir(parents=True, exist_ok=True)
    breaking = Random(f"{seed}:break")
    for name, rows in placed.items():
        write_atomic(out / name, file_text(name, [line_of(breaking, name, row) for row in rows]))
    manifest = manifest_of(seed, placed)
    write_atomic(out.with_name(f"{out.name}.manifest.json"), json.dumps(manifest, indent=1) + "\n")
    return manifest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "raw", metavar="DIR")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    manifest = generate(options.out, options.seed)
    print(json.dumps({"rows": manifest["rows"], "planted": manifest["planted"]}))


if __name__ == "__main__":
    main()
