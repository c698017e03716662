"""Sample of rows for annotators, and statistics of their verdicts: error rate, agreement.

Sources: Wilson 1927 (the interval), Cohen 1960 (kappa of two annotators), Light 1971 (more annotators: mean kappa of
all pairs).
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
from stages.rows.display import answers, prompt_text
from stages.rows.row import Row

COLUMNS = ("id", "kind", "question", "answer", "verdict", "note")
VERDICTS = ("ok", "wrong")
FORMULA = re.compile(r"[=+\-@\t\r']")  # first character of a cell that a spreadsheet computes, or of an escaped one
ID = re.compile(r"[0-9a-f]{24}")


class Annotation(NamedTuple):
    verdict: str  # one of VERDICTS, or of those that the file is read with
    note: str


def sample(rows: Iterable[Row], size: int, seed: int) -> list[Row]:
    """The rows with the smallest hashes of seed and id, in that order: an added row changes one of them at most."""
    return heapq.nsmallest(size, rows, key=lambda row: hashlib.sha256(f"{seed}:{row.id}".encode()).digest())


def sample_line(row: Row) -> dict[str, str]:
    """A row as {column of the sample: cell}; the verdict is empty."""
    named = answers(row.content)
    answer = "\n\n".join(
        text if name in ("answer", "text") else f"{name}: {text}" for name, text in named.items()
    )  # fmt: skip
    question = prompt_text(row.content)
    return {"id": row.id, "kind": row.kind, "question": question, "answer": answer, "verdict": "", "note": ""}


def escape_formula(cell: str) -> str:
    """The cell, with an apostrophe in front if a spreadsheet would take it for a formula."""
    return f"'{cell}" if FORMULA.match(cell) else cell


def unescape_formula(cell: str) -> str:
    """The inverse of `escape_formula`."""
    return cell[1:] if cell[:1] == "'" and FORMULA.match(cell[1:]) else cell


def write_sample(path: Path, rows: Iterable[Row]) -> None:
    """Writes the sample as CSV in UTF-8 with a byte order mark, without which spreadsheets assume another encoding."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([escape_formula(cell) for cell in sample_line(row).values()] for row in rows)


def read(folder: Path, allowed: Sequence[str] = VERDICTS) -> dict[str, dict[str, Annotation]]:
    """{annotator: {row id: annotation}} of every CSV file in a folder; lines without a verdict are left out.

    Args:
        allowed: the verdicts that there may be.

    Raises:
        UserError: a file is no CSV of this form; a line has no id, a repeated id, or an unknown verdict.
    """
    return {path.stem: dict(read_file(path, allowed)) for path in sorted(folder.iterdir())
            if path.is_file() and not path.name.startswith(".")}  # fmt: skip


def read_file(path: Path, allowed: Sequence[str]) -> Iterator[tuple[str, Annotation]]:
    """(row id, annotation) of each line with a verdict, and the errors of `read`."""
    if path.suffix.lower() != ".csv":
        raise UserError(f"{path}: want a CSV file with the columns {', '.join(COLUMNS)}; save it as one, or remove it")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8: save the file as CSV in UTF-8") from None
    header = text.partition("\n")[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
    line_number, ids = 1, set()
    try:
        columns = next(lines, [])
        if missing := [name for name in ("id", "verdict") if name not in columns]:
            raise UserError(f"{path}:1: no column {' and '.join(missing)}: want {', '.join(COLUMNS)}")
        line_number = lines.line_num + 1
        for cells in lines:
            line = dict(zip(columns, map(unescape_formula, cells), strict=False))
            if any(cells):
                yield from _parse_line(line, f"{path}:{line_number}", ids, allowed)
            line_number = lines.line_num + 1
    except csv.Error as error:
        raise UserError(f"{path}:{line_number}: {error}: want a line of CSV; mend it") from None


def _parse_line(
    line: dict[str, str], where: str, ids: set[str], allowed: Sequence[str]
) -> Iterator[tuple[str, Annotation]]:
    """The annotation of a line, if it has a verdict. Adds its id to those of the lines before."""
    id, verdict = line.get("id", "").strip(), line.get("verdict", "").strip().lower()
    if not ID.fullmatch(id):
        raise UserError(f"{where}: id {id!r}: want an id of the sample, 24 digits and letters; copy it from there")
    if id in ids:
        raise UserError(f"{where}: id {id} is in the file twice: want one verdict a row; remove one")
    ids.add(id)
    if verdict and verdict not in allowed:
        raise UserError(f"{where}: verdict {verdict!r}: want {' or '.join(allowed)}, or nothing")
    if verdict:
        yield id, Annotation(verdict, line.get("note", "").strip())


def wilson_interval(wrong: float, total: int, confidence: float) -> tuple[float, float]:
    """(low, high) of the share wrong / total. Unlike the normal interval it holds at few rows and near 0 and 1."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, scale = wrong / total, 1 + z * z / total
    middle = (share + z * z / (2 * total)) / scale
    reach = z / scale * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return middle - reach if wrong else 0.0, middle + reach if wrong < total else 1.0


def kappa(a: Sequence[str], b: Sequence[str]) -> float | None:
    """Cohen's kappa of two annotators' verdicts on the same rows; None if both gave the same single verdict."""
    agreement = sum(x == y for x, y in zip(a, b, strict=True)) / len(a)
    chance = sum(a.count(verdict) * b.count(verdict) for verdict in set(a)) / len(a) ** 2
    return None if chance == 1 else (agreement - chance) / (1 - chance)


def error_rate(verdicts: Sequence[str], confidence: float) -> dict[str, Any]:
    """{rows, wrong, rate, low, high}: the share of wrong rows and its interval, None without verdicts."""
    wrong = verdicts.count("wrong")
    if not verdicts:
        return {"rows": 0, "wrong": 0, "rate": None, "low": None, "high": None}
    low, high = wilson_interval(wrong, len(verdicts), confidence)
    return {"rows": len(verdicts), "wrong": wrong, "rate": round(wrong / len(verdicts), 4),
            "low": round(low, 4), "high": round(high, 4)}  # fmt: skip


def statistics(annotations: dict[str, dict[str, Annotation]], ids: Set[str], confidence: float) -> dict[str, Any]:
    """{rows, wrong, rate, low, high, annotators: {name: the same}, pairs, kappa, gone} of the annotated rows.

    The majority of its annotators decides on a row; a tie counts as wrong.

    Args:
        annotations: as `read` returns them.
        ids: the rows that still exist; the number of other annotated rows is `gone`.
        confidence: level of the intervals.
    """
    verdicts = {name: {id: a.verdict for id, a in of_name.items() if id in ids}
                for name, of_name in annotations.items()}  # fmt: skip
    by_row: dict[str, list[str]] = {}
    for of_name in verdicts.values():
        for id, verdict in of_name.items():
            by_row.setdefault(id, []).append(verdict)
    majority = ["wrong" if 2 * of_row.count("wrong") >= len(of_row) else "ok" for of_row in by_row.values()]
    return {
        **error_rate(majority, confidence),
        "annotators": {name: error_rate(list(of_name.values()), confidence) for name, of_name in verdicts.items()},
        **agreements(verdicts),
        "gone": len({id for of_name in annotations.values() for id in of_name} - ids),
    }


def agreements(verdicts: dict[str, dict[str, str]]) -> dict[str, Any]:
    """{pairs: [{annotators, rows, same, kappa}] of those who annotated a row in common, kappa: the mean of theirs}."""
    pairs = [_agreement(a, b, verdicts[a], verdicts[b]) for a, b in combinations(verdicts, 2)
             if verdicts[a].keys() & verdicts[b].keys()]  # fmt: skip
    kappas = [pair["kappa"] for pair in pairs if pair["kappa"] is not None]
    return {"pairs": pairs, "kappa": round(mean(kappas), 4) if kappas else None}


def _agreement(name_a: str, name_b: str, a: dict[str, str], b: dict[str, str]) -> dict[str, Any]:
    """{annotators, rows, same, kappa} of two annotators, over the rows that both annotated."""
    common = sorted(a.keys() & b.keys())
    left, right = [a[id] for id in common], [b[id] for id in common]
    same, value = sum(x == y for x, y in zip(left, right, strict=True)), kappa(left, right)
    rounded = None if value is None else round(value, 4)
    return {"annotators": [name_a, name_b], "rows": len(common), "same": same, "kappa": rounded}
