"""The committed dataset holds what its manifest promises, recounted here from the files alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import ftfy
import pytest
from ftfy.badness import is_bad

DATA = Path(__file__).parents[2] / "data"
RAW = DATA / "raw"
MANIFEST = json.loads((DATA / "raw.manifest.json").read_text("utf-8"))

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
        return "\n".join(part for part in (self.user, self.answer, self.rejected) if part)


def lines(name: str) -> list[str]:
    return (RAW / name).read_text("utf-8").removesuffix("\n").split("\n")


def read_chats() -> tuple[list[Row], list[str]]:
    """All chat rows, and the places of the lines that do not parse."""
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


def pii_in(text: str) -> dict[str, list[str]]:
    found = {"email": EMAIL.findall(text), "iban": IBAN.findall(text)}
    rest = IBAN.sub(" ", text)
    numbers = DIGITS.findall(rest)
    found["card"] = [number for number in numbers if sum(map(str.isdigit, number)) == 16]
    found["phone"] = [number for number in numbers if 9 <= sum(map(str.isdigit, number)) <= 13]
    return {kind: values for kind, values in found.items() if values}


def cleaned(text: str) -> str:
    for pattern, mark in ((EMAIL, "[EMAIL]"), (IBAN, "[IBAN]"), (DIGITS, "[NUMBER]")):
        text = pattern.sub(mark, text)
    return ftfy.fix_text(text)


def shingles(text: str) -> frozenset[str]:
    text = re.sub(r"\s+", " ", text.lower()).strip()
    return frozenset(text[at : at + 5] for at in range(len(text) - 4))


def similar(texts: list[str], limit: float) -> dict[tuple[int, int], float]:
    """All pairs with a Jaccard of at least `limit`, exactly: such sets share one of their rarest shingles."""
    sets = [shingles(text) for text in texts]
    count = Counter(shingle for one in sets for shingle in one)
    index: dict[str, list[int]] = defaultdict(list)
    found = {}
    for number, one in enumerate(sets):
        prefix = sorted(one, key=lambda s: (count[s], s))[: len(one) - int(limit * len(one)) + 1]
        for other in {other for shingle in prefix for other in index[shingle]}:
            near_size = limit * len(one) <= len(sets[other]) <= len(one) / limit
            score = len(one & sets[other]) / len(one | sets[other]) if near_size else 0.0
            if score >= limit:
                found[other, number] = score
        for shingle in prefix:
            index[shingle].append(number)
    return found


@pytest.fixture(scope="module")
def chat_copies() -> dict[frozenset[str], float]:
    """Similar chat rows by their places, with the broken lines (cut ones too) left out."""
    found = similar([row.measured() for row in CHATS], 0.80)
    return {frozenset((CHATS[a].place, CHATS[b].place)): score for (a, b), score in found.items()}


def test_regenerating_gives_the_committed_bytes(tmp_path: Path) -> None:
    out = tmp_path / "raw"
    command = [sys.executable, str(DATA / "generate.py"), "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": "12345"})
    assert sorted(path.name for path in out.iterdir()) == sorted(MANIFEST["rows"])
    for name in MANIFEST["rows"]:
        assert (out / name).read_bytes() == (RAW / name).read_bytes(), name
    assert (tmp_path / "raw.manifest.json").read_bytes() == (DATA / "raw.manifest.json").read_bytes()


def test_row_counts_are_those_promised() -> None:
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


def test_ticket_rows_stand_on_their_line() -> None:
    text = lines("tickets.json")
    assert (text[0], text[-1]) == ("[", "]")
    for row, line in zip(CHATS[:1500], text[1:-1], strict=True):
        assert json.loads(line.rstrip(","))["output"] == row.answer


def test_manifest_numbers_are_those_asked_for_and_match_its_places() -> None:
    asked = {
        "exact_duplicates": 60,
        "near_duplicates": 80,
        "pii": {"email": 40, "phone": 40, "iban": 12, "card": 15},
        "mojibake": 30,
        "refusals": 25,
        "broken_json": 12,
        "empty_answers": 20,
        "over_long": 10,
    }
    assert MANIFEST["planted"] == asked
    flat = {kind: n for kind, n in asked.items() if kind != "pii"}
    flat |= {f"pii_{kind}": n for kind, n in asked["pii"].items()}
    assert {kind: len(places) for kind, places in MANIFEST["where"].items()} == flat
    assert len(PLANTED_PLACES) == sum(flat.values()), "a row carries two defects"


def test_pii_is_exactly_on_the_planted_rows_and_never_in_answers() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for row in ALL:
        kinds = pii_in(row.user)
        assert sum(map(len, kinds.values())) <= 1, row
        assert not pii_in(row.answer + " " + row.rejected)
        for kind in kinds:
            found[f"pii_{kind}"].add(row.place)
    assert found == {kind: places for kind, places in WHERE.items() if kind.startswith("pii_")}


def test_cards_pass_luhn() -> None:
    cards = [card for row in ALL for card in pii_in(row.user).get("card", [])]
    assert len(cards) == 15 and {" ", "-"} <= set("".join(cards))
    for card in cards:
        digits = [int(char) for char in reversed(card) if char.isdigit()]
        assert (sum(digits[0::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0, card


def test_ibans_pass_mod_97() -> None:
    ibans = [iban.replace(" ", "") for row in ALL for iban in pii_in(row.user).get("iban", [])]
    length = {"GB": 22, "NL": 18, "IE": 22, "DE": 22}
    assert len(ibans) == 12
    for iban in ibans:
        assert len(iban) == length[iban[:2]]
        assert int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1, iban


def test_mojibake_is_exactly_on_the_planted_rows_and_ftfy_repairs_it() -> None:
    assert {row.place for row in ALL if is_bad(row.user)} == WHERE["mojibake"]
    for row in ALL:
        fixed = ftfy.fix_text(row.user)
        if row.place in WHERE["mojibake"]:
            assert not is_bad(fixed) and not re.search("[ÃÂâ\x80-\x9f]", fixed), fixed
            assert re.search("[éüöóç€–]", fixed) or "'" in fixed
        else:
            assert fixed == row.user, "ftfy must leave a sound row alone"


def test_sound_non_ascii_stands_in_natural_rows() -> None:
    words = {word.strip(".,") for row in natural(CHATS) for word in row.user.split() if not word.isascii()}
    assert {"Zürich", "Malmö", "café", "€"} <= words


def test_refusals_and_empty_answers_are_exactly_the_planted_rows() -> None:
    beginnings = (
        "I'm sorry",
        "I am sorry",
        "Sorry, but",
        "As an AI",
        "I can",
        "I'm un",
        "I am un",
        "Unfortunately",
    )
    assert {row.place for row in CHATS if row.answer.startswith(beginnings)} == WHERE["refusals"]
    assert {row.place for row in CHATS if not row.answer.strip()} == WHERE["empty_answers"]
    assert len({row.answer for row in CHATS if row.place in WHERE["refusals"]}) >= 8


def test_broken_lines_are_exactly_the_planted_ones() -> None:
    assert set(BROKEN) == WHERE["broken_json"]
    assert {place.split(":")[0] for place in BROKEN} == {"chats.jsonl", "messages.jsonl"}


def test_only_planted_messages_are_over_long() -> None:
    assert {row.place for row in CHATS if len(row.user) > 4000} == WHERE["over_long"]
    assert max(len(row.user) for row in natural(CHATS) + PAIRS) < 400


def test_exact_duplicates_are_exactly_the_planted_ones() -> None:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in CHATS:
        groups[row.user, row.answer].append(row.place)
    copies = [places for places in groups.values() if len(places) > 1]
    assert len(copies) == 60
    natural_places = {row.place for row in natural(CHATS)}
    for places in copies:
        assert len(places) == 2
        assert len(WHERE["exact_duplicates"] & set(places)) == len(natural_places & set(places)) == 1
    assert {len({place.split(":")[0] for place in places}) for places in copies} == {1, 2}, "within and across"


def test_near_duplicates_are_near_exactly_one_natural_row(chat_copies: dict[frozenset[str], float]) -> None:
    answers = {row.place: row.answer for row in CHATS}
    near: dict[str, list[str]] = defaultdict(list)
    for pair, score in chat_copies.items():
        if score == 1.0:
            continue
        (copy,) = pair & WHERE["near_duplicates"]
        (original,) = pair - WHERE["near_duplicates"]
        assert original not in PLANTED_PLACES
        assert 0.87 <= score <= 0.99
        assert answers[copy] == answers[original]
        near[copy].append(original)
    assert near.keys() == WHERE["near_duplicates"]
    originals = [original for found in near.values() for original in found]
    assert len(originals) == len(set(originals)) == 80


def test_no_other_chat_rows_are_near_each_other(chat_copies: dict[frozenset[str], float]) -> None:
    planted = WHERE["near_duplicates"] | WHERE["exact_duplicates"]
    assert all(pair & planted for pair in chat_copies)
    rows = [row for row in CHATS if row.place not in planted]
    assert not similar([cleaned(row.measured()) for row in rows], 0.80)


@pytest.mark.parametrize("rows", [PAIRS, PARAGRAPHS], ids=["pairs", "paragraphs"])
def test_no_pairs_or_paragraphs_are_near_each_other(rows: list[Row]) -> None:
    assert not similar([row.measured() for row in rows], 0.80)
    assert not similar([cleaned(row.measured()) for row in rows], 0.80)


def test_the_similarity_measure_of_these_tests_finds_a_copy() -> None:
    texts = [
        "the kettle arrived with a crack",
        "where is my new toaster, please",
        "The kettle  arrived with a crac",
    ]
    # 27 shingles against 26 of them.
    assert similar(texts, 0.8) == {(0, 2): 26 / 27}


def test_answers_parse_to_the_schema_and_follow_from_the_message() -> None:
    judged = [row for row in CHATS if row.place not in WHERE["refusals"] | WHERE["empty_answers"]]
    for row in judged + PAIRS:
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


def test_answers_are_written_with_default_spaces_and_chosen_ones_without() -> None:
    for row in natural(CHATS):
        assert row.answer == json.dumps(json.loads(row.answer))
    for row in PAIRS:
        assert row.rejected == json.dumps(json.loads(row.rejected))
        assert row.answer == json.dumps(json.loads(row.rejected), separators=(",", ":")) != row.rejected


def test_one_message_has_one_answer_and_pairs_have_messages_of_their_own() -> None:
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
