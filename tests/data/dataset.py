"""The committed dataset, read without the code that generated it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parents[2] / "data"
RAW = DATA / "raw"
MANIFEST = json.loads((DATA / "raw.manifest.json").read_text("utf-8"))

EMAIL = re.compile(r"[\w.]+@[\w.]+\.\w+")
IBAN = re.compile(r"\b[A-Z]{2}\d{2} ?(?:[A-Z0-9]{4} ?){3,5}[A-Z0-9]{0,4}\b")
DIGITS = re.compile(r"\+?\d(?:[ -]?\d){8,}")


@dataclass(frozen=True)
class Row:
    place: str
    user: str
    answer: str = ""
    rejected: str = ""

    def measured(self) -> str:
        """The text that similarity is measured on."""
        return "\n".join(part for part in (self.user, self.answer, self.rejected) if part)


def lines(name: str) -> list[str]:
    return (RAW / name).read_text("utf-8").removesuffix("\n").split("\n")


def read_chats() -> tuple[list[Row], list[str]]:
    """(all chats, places of the lines that are not JSON)."""
    rows, broken = [], []
    for index, row in enumerate(json.loads((RAW / "tickets.json").read_text("utf-8"))):
        user = "\n".join(filter(None, (row["instruction"], row["input"])))
        rows.append(Row(f"tickets.json:{index + 2}", user, row["output"]))
    for name in ("chats.jsonl", "messages.jsonl"):
        for number, line in enumerate(lines(name), 1):
            try:
                row = json.loads(line)
            except ValueError:
                broken.append(f"{name}:{number}")
                continue
            if name == "chats.jsonl":
                human, gpt = row["conversations"]
                assert (human["from"], gpt["from"]) == ("human", "gpt")
                rows.append(Row(f"{name}:{number}", human["value"], gpt["value"]))
            else:
                user, assistant = row["messages"]
                assert (user["role"], assistant["role"]) == ("user", "assistant")
                rows.append(Row(f"{name}:{number}", user["content"], assistant["content"]))
    return rows, broken


def read_pairs() -> list[Row]:
    rows = [json.loads(line) for line in lines("preferences.jsonl")]
    return [
        Row(f"preferences.jsonl:{n}", row["prompt"], row["chosen"], row["rejected"]) for n, row in enumerate(rows, 1)
    ]


def read_paragraphs() -> list[Row]:
    text = lines("handbook.txt")
    assert all((line == "") == (number % 2 == 0) for number, line in enumerate(text, 1))
    return [Row(f"handbook.txt:{number}", line) for number, line in enumerate(text, 1) if line]


CHATS, BROKEN = read_chats()
PAIRS, PARAGRAPHS = read_pairs(), read_paragraphs()
ALL = CHATS + PAIRS + PARAGRAPHS
WHERE = {kind: set(places) for kind, places in MANIFEST["where"].items()}
PLANTED_PLACES = set().union(*WHERE.values())


def natural(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.place not in PLANTED_PLACES]
