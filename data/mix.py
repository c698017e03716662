"""The rows of each file: numbers of natural rows and of rows with each defect, and their order."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from random import Random

import phrases
from compose import INTENTS, Row, compose, fill, paragraph
from defects import near_duplicate, over_long, plant_sentence
from novelty import Novelty, chat_text, clean_message, pair_text, paragraph_text, shingles

FILE_ROWS = {
    "tickets.json": 1500,
    "chats.jsonl": 1300,
    "messages.jsonl": 1200,
    "preferences.jsonl": 700,
    "handbook.txt": 600,
}
CHAT_FILES = ("tickets.json", "chats.jsonl", "messages.jsonl")

# Defects that all kinds of rows can have: numbers of (chats, preference pairs, handbook paragraphs).
SPREAD_DEFECTS = {
    "pii_email": (30, 6, 4),
    "pii_phone": (30, 6, 4),
    "pii_iban": (10, 2, 0),
    "pii_card": (11, 2, 2),
    "mojibake": (20, 4, 6),
}
CHAT_DEFECTS = {
    "exact_duplicates": 60,
    "near_duplicates": 80,
    "refusals": 25,
    "broken_json": 12,
    "empty_answers": 20,
    "over_long": 10,
}
NEAR_MIN_SHINGLES = 150  # of the original of a near-duplicate: in shorter rows one typo changes too much


def spread_rows(rng: Random, novelty: Novelty, place: int, make: Callable[[str], Row]) -> list[Row]:
    """The rows with personal data or mojibake of one kind of row, the `place`-th of SPREAD_DEFECTS."""
    rows = []
    for kind, counts in SPREAD_DEFECTS.items():
        for _ in range(counts[place]):
            rows.append(novelty.first_new(partial(plant_sentence, rng, kind, make)))
    return rows


def make_paragraphs(rng: Random) -> list[Row]:
    novelty = Novelty(paragraph_text)
    rows = spread_rows(rng, novelty, 2, lambda sentence: paragraph(rng, sentence))
    while len(rows) < FILE_ROWS["handbook.txt"]:
        rows.append(novelty.first_new(lambda: paragraph(rng)))
    rng.shuffle(rows)
    return rows


def make_chats(rng: Random, paragraphs: list[Row]) -> list[Row]:
    novelty = Novelty(chat_text)
    total = sum(FILE_ROWS[name] for name in CHAT_FILES)
    rows = spread_rows(rng, novelty, 0, lambda sentence: compose(rng, rng.choice(INTENTS), sentence))
    defects = CHAT_DEFECTS
    natural: list[Row] = []
    for index in range(total - len(rows) - sum(defects.values())):
        intent = INTENTS[index % len(INTENTS)]
        note = fill(rng, rng.choice(phrases.ORDER_NOTES)) if rng.random() < 0.02 else ""
        natural.append(novelty.first_new(lambda: replace(compose(rng, intent), note=note)))  # noqa: B023

    # A copy may go to any file, so rows with a note, which only tickets.json has, are not copied.
    plain = [row for row in natural if not row.note]
    long = [row for row in plain if len(shingles(chat_text(row))) >= NEAR_MIN_SHINGLES]
    near_originals = rng.sample(long, defects["near_duplicates"])
    near = [near_duplicate(rng, novelty, row) for row in near_originals]
    near_messages = {row.message for row in near_originals}
    others = [row for row in plain if row.message not in near_messages]
    exact = [replace(row, kind="exact_duplicates") for row in rng.sample(others, defects["exact_duplicates"])]

    def plant(kind: str, change: Callable[[Row], Row]) -> list[Row]:
        make = lambda: replace(change(compose(rng, rng.choice(INTENTS))), kind=kind)  # noqa: E731
        return [novelty.first_new(make) for _ in range(defects[kind])]

    clean = " ".join(row.message for row in paragraphs if row.kind == "natural")
    sentences = re.split(r"(?<=[.?!]) ", clean)
    rows += natural + near + exact
    rows += plant("refusals", lambda row: replace(row, answer=rng.choice(phrases.REFUSALS)))
    rows += plant("empty_answers", lambda row: replace(row, answer=rng.choice(("", " ", "\n", "  \n"))))
    rows += plant("over_long", lambda row: over_long(rng, row, sentences))
    rows += plant("broken_json", lambda row: row)
    return rows


def make_pairs(rng: Random, chats: list[Row]) -> list[Row]:
    novelty = Novelty(pair_text)
    # Prompts are new messages, so no pair reveals the answer to a chat that is held out.
    novelty.messages = {" ".join(clean_message(row).lower().split()) for row in chats}
    rows = spread_rows(rng, novelty, 1, lambda sentence: compose(rng, rng.choice(INTENTS), sentence))
    for index in range(FILE_ROWS["preferences.jsonl"] - len(rows)):
        rows.append(novelty.first_new(lambda: compose(rng, INTENTS[index % len(INTENTS)])))  # noqa: B023
    rng.shuffle(rows)
    return rows


def place_chats(rng: Random, rows: list[Row]) -> dict[str, list[Row]]:
    """Assigns chats to files: those with a note to tickets.json, broken lines to JSONL, the others to any."""
    placed: dict[str, list[Row]] = {name: [] for name in CHAT_FILES}
    others = []
    for row in rows:
        if row.note:
            placed["tickets.json"].append(row)
        elif row.kind == "broken_json":
            placed[rng.choice(CHAT_FILES[1:])].append(row)
        else:
            others.append(row)
    rng.shuffle(others)
    for name, file_rows in placed.items():
        missing = FILE_ROWS[name] - len(file_rows)
        file_rows += others[:missing]
        others = others[missing:]
        rng.shuffle(file_rows)
    return placed
