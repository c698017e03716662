"""Natural rows, composed from the tables in `phrases.py`."""

import json
import re
from dataclasses import dataclass
from random import Random

import phrases

INTENTS = tuple(phrases.BODIES)
URGENCIES, URGENCY_WEIGHTS = ("normal", "high", "low"), (40, 30, 30)


@dataclass(frozen=True)
class Row:
    """A chat, a preference pair, or a paragraph (only `message`)."""

    message: str
    answer: str = ""
    product: str = "none"
    note: str = ""
    kind: str = "natural"  # or the name of its defect
    pii: str = ""  # planted personal data

    @property
    def user(self) -> str:
        return f"{self.message}\n{self.note}" if self.note else self.message


def fill(rng: Random, template: str, product: str = "none", /, **values: str) -> str:
    """Fills in the choices and slots of a template; a slot that occurs twice gets two values."""
    used: set[str] = set()

    def slot(match: re.Match[str]) -> str:
        name = match[1]
        if name in values:
            return values[name]
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
    """(a template of the intent, the product to fill in)."""
    if rng.random() < phrases.SHARE_WITHOUT_PRODUCT.get(intent, 0.0):
        return rng.choice(phrases.BODIES_WITHOUT_PRODUCT[intent]), "none"
    return rng.choice(phrases.BODIES[intent]), rng.choice(phrases.PRODUCTS)


def compose(rng: Random, intent: str, detail: str | None = None) -> Row:
    """A natural chat about an intent.

    Args:
        detail: a sentence in place of the random detail.
    """
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
    """The JSON of an answer without spaces."""
    return json.dumps(json.loads(answer), separators=(",", ":"))


def paragraph(rng: Random, extra: str = "") -> Row:
    """30 to 80 words about one intent and one product: rules, facts, quoted messages with their tags, and `extra`."""
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
