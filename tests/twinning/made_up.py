"""Rows and a base for the twin."""

from pathlib import Path

from stages.rows import jsonl
from stages.rows.row import Chat, Content, Judged, Message, Pair, Text, make_row

SUBJECTS = ("cat", "mat", "café", "o'clock", "München", "1234", "def f(x)", "世界", "🙂")


def turns(i: int) -> list[Message]:
    subject = SUBJECTS[i % len(SUBJECTS)]
    asked = Message("user", f"Where is the {subject} number {i}?")
    if i % 5 == 1:
        return [Message("system", f"Be short, reader {i}."), asked]
    if i % 5 == 2:
        return [asked, Message("assistant", f"By the {subject} of {i + 1}."), Message("user", f"And {i * 3} more?")]
    return [asked]


def contents(kind: str, n: int) -> list[Content]:
    """`n` rows of a kind, all different."""
    if kind == "text":
        return [
            Text(f"The {SUBJECTS[i % 9]} number {i} sat on the mat, and we've seen {i * 7} of them.") for i in range(n)
        ]
    good = [[Message("assistant", f"On the {SUBJECTS[(i + 3) % 9]} of room {i * 11}.")] for i in range(n)]
    bad = [[Message("assistant", f"I think it may be {SUBJECTS[(i + 5) % 9]}, {i}.")] for i in range(n)]
    if kind == "pair":
        return [Pair(turns(i), good[i], bad[i]) for i in range(n)]
    if kind == "judged":
        return [Judged(turns(i), (good if i % 2 else bad)[i], bool(i % 2)) for i in range(n)]
    return [Chat([*turns(i), *good[i]]) for i in range(n)]


def write(mixed: Path, **rows: list[Content]) -> Path:
    """The folder of mixed rows: those given, else made up ones."""
    mixed.mkdir(parents=True, exist_ok=True)
    for kind in ("chat", "pair", "judged", "text"):
        jsonl.write(mixed / f"{kind}.jsonl", [make_row(content) for content in rows.get(kind, contents(kind, 24))])
    return mixed
