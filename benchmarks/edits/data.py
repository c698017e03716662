"""Edits of raw data. The report shows the hash of every raw file, so it has to run after each of them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.edits.edit import ANSWER, DATA, EVALUATE, OF_SFT, Change, Edit, add, lines
from stages.rows.row import Chat, Message, Row, make_row
from tests.conftest import Project

CHATS, MESSAGES, PAIRS = "data/raw/chats.jsonl", "data/raw/messages.jsonl", "data/raw/preferences.jsonl"
SHOWN = {"ingest", "datasheet", "card", "report"}  # counts of rows are on the card and on the pages
TRAINED = {*DATA, "calibrate@Q8_0", "train@sft", "plots", "card", "report"}
BINS = {
    "test": (0.0, 0.1),
    "val": (0.1, 0.15),
    "train": (0.2, 1.0),
}  # split: range of ids as fractions; that of train is cautious


def sharegpt(asked: str, answer: str) -> str:
    return json.dumps({"conversations": [{"from": "human", "value": asked}, {"from": "gpt", "value": answer}]})


def chat(asked: str, answer: str) -> Row:
    return make_row(Chat([Message("user", asked), Message("assistant", answer)]))


def falls(row: Row, split: str) -> bool:
    """True if the id of a row puts it into a split."""
    low, high = BINS[split]
    return low <= int(row.id[:16], 16) / 16**16 < high


def new_row(split: str) -> str:
    """A ShareGPT line whose row falls into a split."""
    answer = '{"intent": "delivery_status"}'
    asked = (f"Parcel {number} of the blue juicer never came, where is it now?" for number in range(200))
    return next(sharegpt(a, answer) for a in asked if falls(chat(a, answer), split)) + "\n"


def turns(line: str) -> tuple[str, str]:
    return tuple(turn["value"] for turn in json.loads(line)["conversations"])  # type: ignore[return-value]


def plain(line: str) -> bool:
    """True for a question and answer that `clean` does not change: no figures, ASCII, JSON."""
    return line.isascii() and line.count('"from"') == 2 and not any(c.isdigit() for c in line) and "urgency" in line


def numbered(rows: list[str], split: str) -> Iterator[int]:
    """Numbers of plain lines whose rows are in a split."""
    return (n for n, line in enumerate(rows) if plain(line) and falls(chat(*turns(line)), split))


def one_row(split: str, change: Callable[[str], list[str]]) -> Change:
    """Replaces the first plain line of a split."""

    def changed(rows: list[str]) -> list[str]:
        n = next(numbered(rows, split))
        return [*rows[:n], *change(rows[n]), *rows[n + 1 :]]

    return lines(CHATS, changed)


def reworded(line: str) -> list[str]:
    asked, answer = turns(line)
    return next([sharegpt(asked + c, answer)] for c in "!?;:#*+=" if falls(chat(asked + c, answer), "train"))


def shouted(line: str) -> list[str]:
    """The line, and its question in another case with a larger id, so that dedup keeps the first."""
    asked, answer = turns(line)
    cases = (asked.upper(), asked.lower(), asked.title(), asked.swapcase(), *(asked[:n].upper() + asked[n:] for n in
             range(2, 40)))  # fmt: skip
    return [
        line,
        next(sharegpt(c, answer) for c in cases if chat(c, answer).id > chat(asked, answer).id and c != asked),
    ]


def reformatted(change: Callable[[dict[str, Any]], str]) -> Change:
    return lines(PAIRS, lambda rows: [change(json.loads(line)) if line.isascii() else line for line in rows])


reversed_rows = lines(MESSAGES, lambda rows: rows[::-1])


def crlf(project: Project) -> None:
    file = project.path / MESSAGES
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))


def rename(project: Project) -> None:
    (project.path / MESSAGES).rename(project.path / "data/raw/talks.jsonl")


EDITS = {
    "a raw row": Edit(
        add(CHATS, new_row("train")), TRAINED, "one more row in every file up to train; its log is drawn", OF_SFT,
        suite=True,
    ),
    "a duplicate of a raw row": Edit(
        lines(MESSAGES, lambda rows: [*rows, rows[3]]), {*SHOWN, "mix"},
        "counted as repeated, and one more place; the rows are the same", suite=True,
    ),
    "the order of rows": Edit(
        reversed_rows, {"ingest", "mix", "report"}, "only sources have line numbers", suite=True,
    ),
    "line ends of Windows": Edit(crlf, {"ingest", "report"}, "the same rows on the same lines"),
    "the order of keys in JSON rows": Edit(
        reformatted(lambda row: json.dumps(dict(reversed(row.items())))), {"ingest", "report"}, "the same values",
    ),
    "the name of a raw file": Edit(rename, {*SHOWN, "mix"}, "sources name files; the rows are the same"),
    "a broken line": Edit(add(CHATS, "{broken\n"), SHOWN, "counted as rejected; the rows are the same"),
    "spaces that cleaning takes off": Edit(
        one_row("train", lambda line: [sharegpt(turns(line)[0] + "  ", turns(line)[1])]),
        {"ingest", "clean", "mix", "datasheet", "card", "report"}, "another raw row, the same cleaned one",
    ),
    "a row that only shouts another": Edit(
        one_row("train", shouted), {"ingest", "clean", "dedup", "mix", "datasheet", "card", "report"},
        "dedup drops it again",
    ),
    "the marks of an annotator": Edit(
        add("data/marks/anna.csv", "id,verdict\n"), {"datasheet"}, "the datasheet counts them",
    ),
    "one character of a training row": Edit(one_row("train", reworded), TRAINED, "another row in train", OF_SFT),
    "a held-out row dropped": Edit(
        one_row("test", lambda line: []),
        {*DATA, *ANSWER, *EVALUATE, "answer_quantized@Q8_0", "parity@Q8_0", "compare", "plots", "card", "report"},
        "a row less to answer; nothing trains on it",
    ),
}  # fmt: skip
