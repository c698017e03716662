"""Three sets of chats made from real data, on which `dedup` is held to its rule; benchmarks/dedup.py runs it.

The rule: a row is dropped if, and only if, a kept row before it (by id) is alike to it, to 0.85, in question and in
answer, with the same numbers in the answer. What of a question is its own is known here from how the row was made, not
found. All pairs are compared exactly.
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.dedup_exact import similar_pairs
from stages import dedup
from stages.params.data import Dedup, Near
from stages.rows.row import Chat, Message, Row, make_row
from stages.similarity.shingles import jaccard, shingles

THRESHOLD, CHARS = 0.85, 5
NEAR = Near(THRESHOLD, CHARS, permutations=128, bands=21, seed=1, threads=1)
PARAMS = Dedup(NEAR, "", None, conflicting="keep", max_dropped_fraction=1.0)
NAMES = ("Ann", "Bob", "Carla", "Dmitri", "Eve", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kim", "Lena")
NUMBER = re.compile(r"\d+")


class Made(NamedTuple):
    """A chat, and what it was made of."""

    row: Row
    shared: str  # system prompt or instruction
    question: str
    answer: str


def made(question: str, answer: str, system: str = "", instruction: str = "") -> Made:
    turns = [Message("system", system)] if system else []
    asked = f"{instruction}\n{question}" if instruction else question
    row = make_row(Chat([*turns, Message("user", asked), Message("assistant", answer)]))
    return Made(row, system + instruction, question, answer)


def sets(data: Path, count: int) -> dict[str, list[Made]]:
    """{kind: `count` chats or fewer}, no two of which are the same."""
    questions = [json.loads(line) for line in (data / "gsm8k/train.jsonl").open("rb")]
    real = [(q["question"], q["answer"]) for q in questions[: count // 2]]
    manual = [json.loads(line)["text"] for line in (data / "pgdocs14/pgdocs14.jsonl").open("rb")]
    found = {
        "shared_prompts": shared_prompts(real, [" ".join(text.split())[:1000] for text in manual if len(text) > 1200]),
        "templates": templates(json.loads((data / "svamp/SVAMP.json").read_bytes()), count),
        "edited_copies": edited_copies(real),
    }
    return {kind: list({chat.row.id: chat for chat in chats}.values()) for kind, chats in found.items()}


def shared_prompts(real: Sequence[tuple[str, str]], passages: Sequence[str]) -> Iterator[Made]:
    """Questions after one of two long passages, as system prompt or in the question; a tenth again with a typo."""
    chance = random.Random(2)
    for number, (question, answer) in enumerate(real):
        place = {("system", "instruction")[number % 2]: passages[number // 2 % 2]}
        yield made(question, answer, **place)
        yield made(question, f"It is {NUMBER.findall(answer)[-1]}.", **place)
        if number % 10 == 0:
            yield made(edited(question, 1, chance), answer, **place)


def templates(problems: Sequence[dict[str, Any]], count: int) -> Iterator[Made]:
    """Forty problems, each with many other names and numbers, and the answer to these."""
    chance = random.Random(3)
    longest = sorted(problems, key=lambda p: (-len(p["Body"]), p["ID"]))[:40]
    for _ in range(count):
        problem = chance.choice(longest)
        text = NUMBER.sub(lambda _: str(chance.randrange(2, 99)), f"{problem['Body']}. {problem['Question']}")
        text = re.sub(r"^[A-Z][a-z]+", chance.choice(NAMES), text)
        numbers = list(map(int, NUMBER.findall(text)))
        answer = (
            str(sum(numbers)) if chance.random() < 0.5 else f"Together that is {sum(numbers)}, so it is {sum(numbers)}."
        )
        yield made(text, answer)


def edited_copies(real: Sequence[tuple[str, str]]) -> Iterator[Made]:
    """Questions and answers, and copies of them with one to eight edits of words of either or both."""
    chance = random.Random(4)
    for question, answer in real:
        yield made(question, answer)
        sides = chance.choice(((1, 0), (1, 0), (0, 1), (1, 1)))
        edits = [chance.choice((1, 1, 2, 3, 5, 8)) * side for side in sides]
        yield made(edited(question, edits[0], chance), edited(answer, edits[1], chance))


def edited(text: str, edits: int, chance: random.Random) -> str:
    """The text with this many words mistyped, left out or doubled."""
    words = text.split(" ")
    for _ in range(edits):
        at, edit = chance.randrange(len(words)), chance.randrange(3)
        if edit == 0:
            words[at] = words[at][:1] + words[at][2:] + chance.choice("aeiou")
        elif edit == 1 and len(words) > 4:
            del words[at]
        else:
            words.insert(at, words[at])
    return " ".join(words)


def same(a: Made, b: Made) -> bool:
    """The rule, of two chats whose questions are alike."""
    alike = jaccard(shingles(a.answer, CHARS), shingles(b.answer, CHARS)) >= THRESHOLD
    return alike and NUMBER.findall(a.answer) == NUMBER.findall(b.answer) and a.shared == b.shared


def judge(chats: Sequence[Made]) -> dict[str, int]:
    """How `dedup` does on the chats, against the rule."""
    chats = sorted(chats, key=lambda chat: chat.row.id)
    like_questions = similar_pairs([chat.question for chat in chats], CHARS, THRESHOLD).tolist()
    partners: dict[int, list[int]] = {}
    for a, b in like_questions:
        if same(chats[a], chats[b]):
            partners.setdefault(a, []).append(b)
            partners.setdefault(b, []).append(a)
    gone = {duplicate.id for duplicate in dedup.find_duplicates([chat.row for chat in chats], PARAMS)[0]}
    kept = [chat.row.id not in gone for chat in chats]
    stands_for = [any(kept[other] for other in partners.get(number, ())) for number in range(len(chats))]
    before = [any(kept[other] for other in partners.get(number, ()) if other < number) for number in range(len(chats))]
    return {
        "rows": len(chats),
        "dropped": len(gone),
        "kept_wrongly": sum(map(lambda stays, seen: stays and seen, kept, before)),
        "dropped_wrongly": sum(map(lambda stays, seen: not stays and not seen, kept, stands_for)),
    }


def outcome(data: Path, count: int) -> dict[str, Any]:
    """{kept_wrongly, dropped_wrongly, sets: {kind: figures}} of sets of `count` chats."""
    by_kind = {kind: judge(chats) for kind, chats in sets(data, count).items()}
    totals = {name: sum(figures[name] for figures in by_kind.values()) for name in ("kept_wrongly", "dropped_wrongly")}
    return {**totals, "sets": by_kind}
