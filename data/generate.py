"""Write the default dataset: synthetic support-desk rows with planted defects, in data/raw.

The same seed gives the same bytes. What was planted, how often and on which lines, is in raw.manifest.json.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

import ftfy
import phrases
from datasketch import MinHash, MinHashLSH
from ftfy.badness import is_bad

FILE_ROWS = {
    "tickets.json": 1500,
    "chats.jsonl": 1300,
    "messages.jsonl": 1200,
    "preferences.jsonl": 700,
    "handbook.txt": 600,
}
CHAT_FILES = ("tickets.json", "chats.jsonl", "messages.jsonl")

# Defects every kind of row can carry, as (chat rows, preference pairs, handbook paragraphs).
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

INTENTS = tuple(phrases.BODIES)
URGENCIES, URGENCY_WEIGHTS = ("normal", "high", "low"), (40, 30, 30)
SHINGLE = 5
# Well below the 0.80 that is promised, so that a MinHash estimate does not take a natural row for a copy.
NOVELTY_LIMIT = 0.74
NEAR_LOW, NEAR_HIGH = 0.87, 0.99
NEAR_MIN_SHINGLES = 150
OVER_LONG_CHARS = 4000


@dataclass(frozen=True)
class Row:
    """One chat row, pair or paragraph (`message` alone); `kind` is "natural" or the defect it carries."""

    message: str
    answer: str = ""
    product: str = "none"
    note: str = ""
    kind: str = "natural"
    pii: str = ""

    @property
    def user(self) -> str:
        return f"{self.message}\n{self.note}" if self.note else self.message


# --- similarity -------------------------------------------------------------------------------------------


def chat_text(row: Row) -> str:
    return f"{row.user}\n{row.answer}"


def pair_text(row: Row) -> str:
    return f"{row.user}\n{minified(row.answer)}\n{row.answer}"


def paragraph_text(row: Row) -> str:
    return row.message


def shingles(text: str) -> frozenset[str]:
    flat = " ".join(text.lower().split())
    return frozenset(flat[i : i + SHINGLE] for i in range(max(1, len(flat) - SHINGLE + 1)))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)


class Novelty:
    """Admits a row only if it is far from all earlier ones, also with mojibake and PII cleaned."""

    def __init__(self, text_of: Callable[[Row], str]) -> None:
        self.text_of = text_of
        # 32 bands of 4 find a pair at 0.74 with 99.999 %: candidates are cheap, the exact check decides.
        self.lsh = MinHashLSH(num_perm=128, params=(32, 4))
        self.sets: list[frozenset[str]] = []
        self.owners: list[Row] = []
        self.messages: set[str] = set()

    def admit(self, row: Row, original: Row | None = None) -> bool:
        """Add the row unless it is too close to another; its original does not count as another."""
        cleaned = replace(row, message=clean_message(row))
        message = " ".join(cleaned.user.lower().split())
        if message in self.messages:
            return False
        forms = [shingles(self.text_of(form)) for form in dict.fromkeys((row, cleaned))]
        signatures = [minhash(form) for form in forms]
        for form, signature in zip(forms, signatures, strict=True):
            for key in self.lsh.query(signature):
                if self.owners[key] is not original and jaccard(form, self.sets[key]) >= NOVELTY_LIMIT:
                    return False
        for form, signature in zip(forms, signatures, strict=True):
            self.lsh.insert(len(self.sets), signature)
            self.sets.append(form)
            self.owners.append(row)
        self.messages.add(message)
        return True

    def first_new(self, make: Callable[[], Row]) -> Row:
        for _ in range(2000):
            row = make()
            if self.admit(row):
                return row
        raise RuntimeError("no new row found: the phrase tables are too small for this many rows")


def minhash(form: frozenset[str]) -> MinHash:
    signature = MinHash(num_perm=128)
    signature.update_batch([shingle.encode() for shingle in form])
    return signature


def clean_message(row: Row) -> str:
    message = ftfy.fix_text(row.message)
    return message.replace(row.pii, f"[{row.kind.removeprefix('pii_').upper()}]") if row.pii else message


# --- phrases to rows --------------------------------------------------------------------------------------


def fill(rng: Random, template: str, product: str = "none", /, **given: str) -> str:
    """Expand the choices and slots of a template; a slot used twice gets two values."""
    used: set[str] = set()

    def slot(match: re.Match[str]) -> str:
        name = match[1]
        if name in given:
            return given[name]
        if name == "p":
            return f"{rng.choice(phrases.COLOURS)} {product}" if rng.random() < 0.2 else product
        if name == "order":
            return str(rng.randrange(20000, 90000))
        if name == "price":
            return str(rng.randrange(19, 180))
        if name == "number":
            return str(rng.randrange(2, 99))
        value = rng.choice([value for value in phrases.SLOTS[name] if value not in used])
        used.add(value)
        return value

    chosen = re.sub(r"\(([^()]*\|[^()]*)\)", lambda match: rng.choice(match[1].split("|")), template)
    return re.sub(r"\{(\w+)\}", slot, chosen)


def pick_body(rng: Random, intent: str) -> tuple[str, str]:
    """A template of the intent and the product it is about."""
    if rng.random() < phrases.SHARE_WITHOUT_PRODUCT.get(intent, 0.0):
        return rng.choice(phrases.BODIES_WITHOUT_PRODUCT[intent]), "none"
    return rng.choice(phrases.BODIES[intent]), rng.choice(phrases.PRODUCTS)


def compose(rng: Random, intent: str, detail: str | None = None) -> Row:
    """A natural row; `detail` replaces the random detail sentence."""
    body, product = pick_body(rng, intent)
    urgency = rng.choices(URGENCIES, URGENCY_WEIGHTS)[0]
    parts = [fill(rng, body, product)]
    if detail:
        parts.append(detail)
    elif rng.random() < 0.65:
        about_product = phrases.DETAILS[intent] if product != "none" and rng.random() < 0.6 else ()
        sentence = fill(rng, rng.choice(about_product or phrases.DETAILS_ANY))
        parts.insert(0 if not about_product and rng.random() < 0.3 else 1, sentence)
    name = rng.choice(phrases.SLOTS["name"])
    opening = fill(rng, rng.choice(phrases.OPENINGS), name=name) if rng.random() < 0.6 else ""
    if urgency != "normal":
        place = rng.random()
        if place < 0.25:
            opening = rng.choice(phrases.URGENCY_PREFIXES[urgency])
        else:
            parts.insert(0 if place < 0.4 else len(parts), rng.choice(phrases.URGENCY_CUES[urgency]))
    if opening:
        parts.insert(0, opening)
    if rng.random() < 0.5:
        parts.append(fill(rng, rng.choice(phrases.CLOSINGS), name=name))
    answer = json.dumps({"intent": intent, "product": product, "urgency": urgency})
    return Row(" ".join(parts), answer, product)


def minified(answer: str) -> str:
    return json.dumps(json.loads(answer), separators=(",", ":"))


def with_pii(rng: Random, kind: str, make: Callable[[str], Row]) -> Row:
    value = PII_MAKERS[kind](rng)
    sentence = fill(rng, rng.choice(phrases.PII_SENTENCES[kind.removeprefix("pii_")]), value=value)
    return replace(make(sentence), kind=kind, pii=value)


def with_mojibake(rng: Random, make: Callable[[str], Row]) -> Row:
    """A row whose UTF-8 bytes were read as cp1252 or latin-1, drawn again until ftfy can undo it."""
    while True:
        town = rng.choice(phrases.MOJIBAKE_TOWNS)
        row = make(fill(rng, rng.choice(phrases.MOJIBAKE_SENTENCES), accent=town))
        garbled = row.message.encode().decode(rng.choice(("cp1252", "latin-1")))
        if is_bad(garbled) and ftfy.fix_text(garbled) == ftfy.fix_text(row.message):
            return replace(row, message=garbled, kind="mojibake")


def plant_sentence(rng: Random, kind: str, make: Callable[[str], Row]) -> Row:
    return with_mojibake(rng, make) if kind == "mojibake" else with_pii(rng, kind, make)


# --- made-up personal data: reserved domains, drama numbers, test banks and test cards --------------------


PHONE_SHAPES = (
    "+44 20 7946 0{}",
    "020 7946 0{}",
    "+44 7700 900{}",
    "07700-900-{}",
    "+49 30 23125 {}",
    "030-23125-{}",
    "+1 202-555-0{}",
    "415-555-0{}",
    "+1 303 555 0{}",
)
# Country, bank code that no bank has, and digits that follow it.
IBAN_SHAPES = (("GB", "TEST", 14), ("NL", "TEST", 10), ("IE", "TEST", 14), ("DE", "99999999", 10))


def make_email(rng: Random) -> str:
    name, surname = rng.choice(phrases.PII_NAMES), rng.choice(phrases.PII_SURNAMES)
    user = rng.choice((f"{name}.{surname}", f"{name}{rng.randrange(10, 99)}", f"{name}_{surname}"))
    return f"{user}@{rng.choice(('example.com', 'example.org', 'mail.example.net'))}"


def make_phone(rng: Random) -> str:
    """A number from the ranges that Ofcom, NANPA and BNetzA keep free for fiction."""
    return rng.choice(PHONE_SHAPES).format(f"1{rng.randrange(100):02d}")


def make_iban(rng: Random) -> str:
    country, bank, digits = rng.choice(IBAN_SHAPES)
    account = bank + "".join(rng.choice("0123456789") for _ in range(digits))
    number = int("".join(str(int(char, 36)) for char in f"{account}{country}00"))
    iban = f"{country}{98 - number % 97:02d}{account}"
    return iban if rng.random() < 0.4 else " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))


def make_card(rng: Random) -> str:
    digits = rng.choice(("400000", "411111", "555555")) + "".join(rng.choice("0123456789") for _ in range(9))
    doubled = (int(digit) * (2 if i % 2 == 0 else 1) for i, digit in enumerate(digits))
    check = -sum(value - 9 if value > 9 else value for value in doubled) % 10
    groups = [f"{digits}{check}"[i : i + 4] for i in range(0, 16, 4)]
    return rng.choice((" ", "-", "")).join(groups)


PII_MAKERS: dict[str, Callable[[Random], str]] = {
    "pii_email": make_email,
    "pii_phone": make_phone,
    "pii_iban": make_iban,
    "pii_card": make_card,
}


# --- handbook ---------------------------------------------------------------------------------------------


def paragraph(rng: Random, extra: str = "") -> Row:
    """30 to 80 words about one intent and one product: rules, facts, quoted messages and how they are filed."""
    while True:
        intent, product = rng.choice(INTENTS), rng.choice(phrases.PRODUCTS)
        rules = rng.sample(phrases.POLICIES[intent], rng.randint(1, 3))
        facts = rng.sample(phrases.PRODUCT_SENTENCES, rng.randint(0, 2))
        desk = rng.sample(phrases.DESK_SENTENCES, rng.randint(0, 1))
        sentences = [fill(rng, sentence, product) for sentence in rules + facts + desk]
        for _ in range(rng.choice((0, 1, 1, 2))):
            quoted = compose(rng, intent)
            sentence = fill(rng, rng.choice(phrases.QUOTE_FRAMES), quote=quoted.message)
            if rng.random() < 0.7:
                sentence += " " + fill(rng, rng.choice(phrases.TAG_SENTENCES), **json.loads(quoted.answer))
            sentences.append(sentence)
        rng.shuffle(sentences)
        text = " ".join([*sentences, extra]).strip()
        if 30 <= len(text.split()) <= 80:
            return Row(text)


# --- defects of chat rows ---------------------------------------------------------------------------------


def typo(rng: Random, original: Row) -> Row:
    """The row with one small slip, never in the product name, so the answer stays right."""
    message = original.message
    words = [m for m in re.finditer(r"[a-z]{5,}", message) if m[0] != original.product]
    word = rng.choice(words)
    at = rng.randrange(word.start() + 1, word.end() - 1)
    message = rng.choice((
        message[:at] + message[at + 1] + message[at] + message[at + 2 :],
        message[:at] + message[at + 1 :],
        message[:at] + message[at] + message[at:],
        message[:-1] + rng.choice(("!!", "...", " :)")) if message[-1] in ".!?" else message + ".",
        message.replace(", ", " ", 1),
    ))  # fmt: skip
    return replace(original, message=message, kind="near_duplicates")


def near_duplicate(rng: Random, novelty: Novelty, original: Row) -> Row:
    base = shingles(chat_text(original))
    while True:
        row = typo(rng, original)
        close = NEAR_LOW <= jaccard(base, shingles(chat_text(row))) <= NEAR_HIGH
        if close and novelty.admit(row, original):
            return row


def over_long(rng: Random, row: Row, sentences: list[str]) -> Row:
    message = f"{row.message} I paste our whole mail thread:"
    while len(message) <= OVER_LONG_CHARS + rng.randrange(100, 1500):
        message += f"\n> {rng.choice(sentences)}"
    return replace(row, message=message, kind="over_long")


def break_line(rng: Random, line: str) -> str:
    """A JSON line no parser takes: cut off, or with one character too many or too few."""
    middle = rng.randrange(len(line) // 3, len(line) - 10)
    return rng.choice((line[:middle], line[:-1], line + "}", line.replace(":", ";", 1), "'" + line))


# --- all rows ---------------------------------------------------------------------------------------------


def spread_rows(rng: Random, novelty: Novelty, place: int, make: Callable[[str], Row]) -> list[Row]:
    """The PII and mojibake rows of one kind of row (`place` in SPREAD_DEFECTS)."""
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

    # A copy must be free to stand in any file, so rows with a note (tickets only) are no originals.
    plain = [row for row in natural if not row.note]
    long = [row for row in plain if len(shingles(chat_text(row))) >= NEAR_MIN_SHINGLES]
    near_originals = rng.sample(long, defects["near_duplicates"])
    near = [near_duplicate(rng, novelty, row) for row in near_originals]
    taken = {row.message for row in near_originals}
    free = [row for row in plain if row.message not in taken]
    exact = [replace(row, kind="exact_duplicates") for row in rng.sample(free, defects["exact_duplicates"])]

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
    # Prompts are new messages, so no pair shows the answer to a row held out from the chat files.
    novelty.messages = {" ".join(clean_message(row).lower().split()) for row in chats}
    rows = spread_rows(rng, novelty, 1, lambda sentence: compose(rng, rng.choice(INTENTS), sentence))
    for index in range(FILE_ROWS["preferences.jsonl"] - len(rows)):
        rows.append(novelty.first_new(lambda: compose(rng, INTENTS[index % len(INTENTS)])))  # noqa: B023
    rng.shuffle(rows)
    return rows


def place_chats(rng: Random, rows: list[Row]) -> dict[str, list[Row]]:
    """Deal the rows to the chat files: notes to tickets, broken lines to JSONL, the rest anywhere."""
    placed: dict[str, list[Row]] = {name: [] for name in CHAT_FILES}
    rest = []
    for row in rows:
        if row.note:
            placed["tickets.json"].append(row)
        elif row.kind == "broken_json":
            placed[rng.choice(CHAT_FILES[1:])].append(row)
        else:
            rest.append(row)
    rng.shuffle(rest)
    for name, row_list in placed.items():
        free = FILE_ROWS[name] - len(row_list)
        row_list += rest[:free]
        rest = rest[free:]
        rng.shuffle(row_list)
    return placed


# --- files ------------------------------------------------------------------------------------------------


def line_of(rng: Random, name: str, row: Row) -> str:
    """The row as one line of the file."""
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
    return {"tickets.json": index + 2, "handbook.txt": 2 * index + 1}.get(name, index + 1)


def manifest_of(seed: int, placed: dict[str, list[Row]]) -> dict[str, object]:
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
    # A random stream of its own for each part, so a change to one leaves the others as they were.
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
