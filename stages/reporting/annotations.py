"""A sample of rows for people to mark, and what their marks say: an error rate, and how far they agree.

Sources: Wilson 1927 (the interval), Cohen 1960 (kappa of two annotators), Light 1971 (of more: the mean of all pairs).
"""

import csv
import hashlib
import heapq
import io
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import combinations
from math import sqrt
from pathlib import Path
from statistics import NormalDist, mean
from typing import Any, NamedTuple

from modelmake.errors import UserError
from stages.rows.display import answer_text, prompt_text
from stages.rows.row import Pair, Row, Text

COLUMNS = ("id", "kind", "question", "answer", "verdict", "note")
VERDICTS = ("ok", "wrong")
FORMULA = re.compile(r"[=+\-@\t\r']")  # how a cell begins that a spreadsheet computes; and our own mark
ID = re.compile(r"[0-9a-f]{24}")


class Mark(NamedTuple):
    verdict: str
    note: str


def sample(found: Iterable[Row], size: int, seed: int) -> list[Row]:
    """The rows with the smallest hashes of seed and id, in that order: a row more changes one of them at most."""
    return heapq.nsmallest(size, found, key=lambda row: hashlib.sha256(f"{seed}:{row.id}".encode()).digest())


def line(row: Row) -> dict[str, str]:
    """What a person is shown of a row."""
    answer = answer_text(row.content)
    if isinstance(row.content, Pair):
        answer = f"chosen: {answer}\n\nrejected: {answer_text(row.content, rejected=True)}"
    question = "" if isinstance(row.content, Text) else prompt_text(row.content)
    return {"id": row.id, "kind": row.kind, "question": question, "answer": answer, "verdict": "", "note": ""}


def neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if FORMULA.match(cell) else cell


def given(cell: str) -> str:
    """The cell that `neutral` was given."""
    return cell[1:] if cell[:1] == "'" and FORMULA.match(cell[1:]) else cell


def write(path: Path, chosen: Iterable[Row]) -> None:
    """Writes the sample as CSV, with a byte order mark: spreadsheets take it for another encoding otherwise."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([neutral(cell) for cell in line(row).values()] for row in chosen)


def read(folder: Path) -> dict[str, dict[str, Mark]]:
    """{annotator: {id: mark}} of every CSV file in the folder; rows without a verdict are not marked.

    Raises:
        UserError: a file is no such CSV, or a line of it has no id, an id twice, or another verdict.
    """
    return {path.stem: dict(_marks(path)) for path in sorted(folder.iterdir())
            if path.is_file() and not path.name.startswith(".")}  # fmt: skip


def _marks(path: Path) -> Iterator[tuple[str, Mark]]:
    if path.suffix.lower() != ".csv":
        raise UserError(f"{path}: want a CSV file with the columns {', '.join(COLUMNS)}; save it so, or take it out")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8: save the file as CSV in UTF-8") from None
    head = text.partition("\n")[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    start, seen = 1, set()
    try:
        names = next(lines, [])
        if missing := [name for name in ("id", "verdict") if name not in names]:
            raise UserError(f"{path}:1: no column {' and '.join(missing)}: want {', '.join(COLUMNS)}")
        start = lines.line_num + 1
        for cells in lines:
            found = dict(zip(names, map(given, cells), strict=False))
            if any(cells):
                yield from _mark(found, f"{path}:{start}", seen)
            start = lines.line_num + 1
    except csv.Error as error:
        raise UserError(f"{path}:{start}: {error}: want a line of CSV; mend it") from None


def _mark(found: dict[str, str], where: str, seen: set[str]) -> Iterator[tuple[str, Mark]]:
    id, verdict = found.get("id", "").strip(), found.get("verdict", "").strip().lower()
    if not ID.fullmatch(id):
        raise UserError(f"{where}: id {id!r}: want an id of sample.csv, 24 digits and letters; copy it from there")
    if id in seen:
        raise UserError(f"{where}: id {id} stands here twice: want one verdict a row; take one out")
    seen.add(id)
    if verdict and verdict not in VERDICTS:
        raise UserError(f"{where}: verdict {verdict!r}: want {' or '.join(VERDICTS)}, or nothing")
    if verdict:
        yield id, Mark(verdict, found.get("note", "").strip())


def wilson(wrong: int, total: int, confidence: float) -> tuple[float, float]:
    """The interval of a share; it holds at few rows and at shares near 0 and 1 too."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, scale = wrong / total, 1 + z * z / total
    middle = (share + z * z / (2 * total)) / scale
    reach = z / scale * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return middle - reach if wrong else 0.0, middle + reach if wrong < total else 1.0


def kappa(a: Sequence[str], b: Sequence[str]) -> float | None:
    """Cohen's kappa of two annotators' verdicts on the same rows; None where both gave one verdict alone."""
    same = sum(x == y for x, y in zip(a, b, strict=True)) / len(a)
    chance = sum(a.count(verdict) * b.count(verdict) for verdict in set(a)) / len(a) ** 2
    return None if chance == 1 else (same - chance) / (1 - chance)


def rate(verdicts: Sequence[str], confidence: float) -> dict[str, Any]:
    """{rows, wrong, rate, low, high}; the last three None where nothing is marked."""
    wrong = verdicts.count("wrong")
    if not verdicts:
        return {"rows": 0, "wrong": 0, "rate": None, "low": None, "high": None}
    low, high = wilson(wrong, len(verdicts), confidence)
    return {"rows": len(verdicts), "wrong": wrong, "rate": round(wrong / len(verdicts), 4),
            "low": round(low, 4), "high": round(high, 4)}  # fmt: skip


def tell(marks: dict[str, dict[str, Mark]], there: Set[str], confidence: float) -> dict[str, Any]:
    """What the marks of rows that are still there say; where as many call a row wrong as right, it counts as wrong."""
    kept = {name: {id: m.verdict for id, m in found.items() if id in there} for name, found in marks.items()}
    by_row: dict[str, list[str]] = {}
    for found in kept.values():
        for id, verdict in found.items():
            by_row.setdefault(id, []).append(verdict)
    settled = ["wrong" if 2 * found.count("wrong") >= len(found) else "ok" for found in by_row.values()]
    pairs = []
    for a, b in combinations(kept, 2):
        if both := sorted(kept[a].keys() & kept[b].keys()):
            left, right = [kept[a][id] for id in both], [kept[b][id] for id in both]
            same, value = sum(x == y for x, y in zip(left, right, strict=True)), kappa(left, right)
            pairs.append({"annotators": [a, b], "rows": len(both), "same": same,
                          "kappa": None if value is None else round(value, 4)})  # fmt: skip
    values = [pair["kappa"] for pair in pairs if pair["kappa"] is not None]
    return {
        **rate(settled, confidence),
        "annotators": {name: rate(list(found.values()), confidence) for name, found in kept.items()},
        "pairs": pairs,
        "kappa": round(mean(values), 4) if values else None,
        "gone": len({id for found in marks.values() for id in found} - there),
    }
