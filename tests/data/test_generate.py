"""The generator writes the committed files; they have the promised rows, and natural rows are consistent."""

import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.data.dataset import (
    ALL,
    BROKEN,
    CHATS,
    DATA,
    MANIFEST,
    PAIRS,
    PARAGRAPHS,
    PLANTED_PLACES,
    RAW,
    WHERE,
    lines,
    natural,
)

INTENTS = {
    "refund", "exchange", "delivery_status", "cancel_order", "change_address", "damaged_item", "missing_part",
    "warranty", "how_to_use", "cleaning", "invoice", "discount_code", "payment_failed", "account_access",
    "stock", "opening_hours",
}  # fmt: skip
PRODUCTS = {
    "kettle", "toaster", "blender", "mixer", "juicer", "grinder", "fryer", "steamer", "griddle", "oven",
    "microwave", "scale", "whisk", "slicer", "sealer", "roaster", "frother", "dehydrator", "percolator",
    "hotplate",
}  # fmt: skip
MAY_HAVE_NO_PRODUCT = {"account_access", "opening_hours", "invoice", "discount_code", "payment_failed"}

HIGH_CUE = re.compile(r"\burgent\b|\bby tomorrow\b|\bimmediately\b|\bright away\b|\bemergency\b", re.I)
LOW_CUE = re.compile(r"\bno rush\b|\btake your time\b|\bwhenever you can\b|\bnot important\b", re.I)


def test_the_generator_writes_the_committed_bytes(tmp_path: Path) -> None:
    out = tmp_path / "raw"
    command = [sys.executable, str(DATA / "generate.py"), "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": "12345"})
    assert sorted(path.name for path in out.iterdir()) == sorted(MANIFEST["rows"])
    for name in MANIFEST["rows"]:
        assert (out / name).read_bytes() == (RAW / name).read_bytes(), name
    assert (tmp_path / "raw.manifest.json").read_bytes() == (DATA / "raw.manifest.json").read_bytes()


def test_files_have_the_promised_numbers_of_rows() -> None:
    promised = {
        "tickets.json": 1500,
        "chats.jsonl": 1300,
        "messages.jsonl": 1200,
        "preferences.jsonl": 700,
        "handbook.txt": 600,
    }
    places = [row.place for row in ALL] + BROKEN
    assert MANIFEST["rows"] == promised == Counter(place.split(":")[0] for place in places)
    assert not any(b"\r" in path.read_bytes() for path in RAW.iterdir())


def test_each_ticket_is_on_a_line_of_its_own() -> None:
    text = lines("tickets.json")
    assert (text[0], text[-1]) == ("[", "]")
    for row, line in zip(CHATS[:1500], text[1:-1], strict=True):
        assert json.loads(line.rstrip(","))["output"] == row.answer


def test_the_manifest_has_the_planned_numbers_and_as_many_places() -> None:
    planned = {
        "exact_duplicates": 60,
        "near_duplicates": 80,
        "pii": {"email": 40, "phone": 40, "iban": 12, "card": 15},
        "mojibake": 30,
        "refusals": 25,
        "broken_json": 12,
        "empty_answers": 20,
        "over_long": 10,
    }
    assert MANIFEST["planted"] == planned
    flat = {kind: n for kind, n in planned.items() if kind != "pii"}
    flat |= {f"pii_{kind}": n for kind, n in planned["pii"].items()}
    assert {kind: len(places) for kind, places in MANIFEST["where"].items()} == flat
    assert len(PLANTED_PLACES) == sum(flat.values()), "a row carries two defects"


def test_natural_rows_have_sound_non_ascii_characters() -> None:
    words = {word.strip(".,") for row in natural(CHATS) for word in row.user.split() if not word.isascii()}
    assert {"Zürich", "Malmö", "café", "€"} <= words


def test_answers_have_the_schema_and_follow_from_the_message() -> None:
    answered = [row for row in CHATS if row.place not in WHERE["refusals"] | WHERE["empty_answers"]]
    for row in answered + PAIRS:
        answer = json.loads(row.answer)
        assert list(answer) == ["intent", "product", "urgency"]
        assert answer["intent"] in INTENTS
        if row.place in WHERE["over_long"] | WHERE["near_duplicates"]:
            continue  # a pasted thread names other products, a typo may hit a cue
        named = PRODUCTS & set(re.findall(r"[a-z]+", row.user.lower()))
        assert named == {answer["product"]} - {"none"}, row
        assert named or answer["intent"] in MAY_HAVE_NO_PRODUCT
        high, low = HIGH_CUE.search(row.user), LOW_CUE.search(row.user)
        assert not (high and low)
        assert answer["urgency"] == ("high" if high else "low" if low else "normal"), row


def test_chosen_answers_have_no_spaces_and_all_others_the_default_ones() -> None:
    for row in natural(CHATS):
        assert row.answer == json.dumps(json.loads(row.answer))
    for row in PAIRS:
        assert row.rejected == json.dumps(json.loads(row.rejected))
        assert row.answer == json.dumps(json.loads(row.rejected), separators=(",", ":")) != row.rejected


def test_a_message_has_one_answer_and_no_pair_repeats_a_message_of_a_chat() -> None:
    answers: dict[str, set[str]] = defaultdict(set)
    for row in CHATS:
        answers[row.user.lower()].add(row.answer)
    assert max(map(len, answers.values())) == 1
    prompts = [row.user.lower() for row in PAIRS]
    assert len(set(prompts)) == 700
    assert not answers.keys() & set(prompts)


def test_intents_and_urgencies_are_balanced() -> None:
    answers = [json.loads(row.answer) for row in natural(CHATS)]
    intents = Counter(answer["intent"] for answer in answers)
    assert intents.keys() == INTENTS and max(intents.values()) - min(intents.values()) <= 1
    products = Counter(answer["product"] for answer in answers)
    assert products.keys() == PRODUCTS | {"none"} and min(products.values()) > 100
    share = {urgency: n / len(answers) for urgency, n in Counter(a["urgency"] for a in answers).items()}
    assert share == pytest.approx({"normal": 0.4, "high": 0.3, "low": 0.3}, abs=0.03)


def test_messages_are_short_and_some_tickets_have_a_note() -> None:
    words = [len(row.user.split()) for row in natural(CHATS)]
    assert 14 < sum(words) / len(words) < 22
    assert min(words) >= 4 and max(words) <= 50
    tickets = json.loads((RAW / "tickets.json").read_text("utf-8"))
    assert 0.03 < sum(bool(row["input"]) for row in tickets) / 1500 < 0.07


def test_handbook_is_prose_without_answers_in_the_words_of_the_messages() -> None:
    assert all(30 <= len(row.user.split()) <= 80 for row in PARAGRAPHS)
    text = (RAW / "handbook.txt").read_text("utf-8")
    assert not re.search(r"[{}\[\]]", text), "no JSON, so no answers"
    words = set(re.findall(r"\w+", text.lower()))
    assert words >= PRODUCTS
    of_messages = set(re.findall(r"[a-z]+", " ".join(row.user for row in natural(CHATS)).lower()))
    assert len(of_messages & words) / len(of_messages) > 0.9
