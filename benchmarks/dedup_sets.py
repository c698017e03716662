"""Sets of chats made from real data, on which `dedup` is held to its rule; benchmarks/dedup.py runs it.

The rule: a row is dropped if, and only if, a kept row before it (by id) says the same and is alike to it, to 0.85, in
question and in answer. What a row says, and what of a question is its own, is known here from how the row was made, not
found. All pairs are compared exactly.
"""

import gzip
import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.dedup_exact import similar_pairs
from stages import dedup
from stages.params.data import Dedup, Near
from stages.rows.row import Chat, Function, Message, Row, ToolCall, make_row
from stages.similarity.shingles import jaccard, shingles
from stages.similarity.words_that_count import CONFUSED, INFLECTIONS

THRESHOLD, CHARS = 0.85, 5
NEAR = Near(THRESHOLD, CHARS, permutations=128, bands=21, seed=1, threads=1)
PARAMS = Dedup(NEAR, "", None, conflicting="keep", max_dropped_fraction=1.0)
NAMES = ("Ann", "Bob", "Carla", "Dmitri", "Eve", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kim", "Lena")
OPPOSED = (("will always", "will never"), ("must", "must not"), ("can", "can't"), ("holds for seventeen and must",
    "holds for seventy and must"), ("for n >= m must", "for n <= m must"), ("after grep -v must", "after grep -c must"),
    ("takes the left way to", "takes the right way to"))  # fmt: skip
INTRODUCTION = "Complete the following function so that its behaviour is what the text in it says it should be."
CODE_CHANGES = ((" < ", " <= "), (" > ", " >= "), (" + ", " - "), (" == ", " != "), ("True", "False"), ("[]", "()"))
BESIDE = dict(zip("abcdefghijklmnopqrstuvwxyz", "snxfrdhgukjknmiowearybectx", strict=True))  # keys, and one beside
NUMBER = re.compile(r"\d+")
IN_PAIRS = {  # of which an edit may make the other word of the pair: "points", "pints"
    stem + end for pair in CONFUSED for word in pair for stem in (word, word.removesuffix("e")) for end in INFLECTIONS
}


class Made(NamedTuple):
    """A chat, and what it was made of."""

    row: Row
    shared: str  # system prompt or instruction
    question: str
    answer: str
    says: object  # equal for chats that say the same


def made(
    question: str, answer: str, system: str = "", instruction: str = "", says: object = None, calls: Sequence[Any] = ()
) -> Made:
    """A chat; without `says` it says what its question and answer do, to the letter."""
    turns = [Message("system", system)] if system else []
    asked = f"{instruction}{question}" if instruction else question
    row = make_row(Chat([*turns, Message("user", asked), Message("assistant", answer, list(calls))]))
    return Made(row, system + instruction, question, answer, says or (question, answer))


def sets(data: Path, count: int) -> dict[str, list[Made]]:
    """{kind: `count` chats or fewer}, no two of which are the same."""
    questions = [json.loads(line) for line in (data / "gsm8k/train.jsonl").open("rb")]
    real = [(q["question"], q["answer"]) for q in questions[: count // 2]]
    manual = [json.loads(line)["text"] for line in (data / "pgdocs14/pgdocs14.jsonl").open("rb")]
    with gzip.open(data / "humaneval/HumanEval.jsonl.gz") as file:
        code = list(map(json.loads, file))
    found = {
        "shared_prompts": shared_prompts(real, [" ".join(text.split())[:1000] for text in manual if len(text) > 1200]),
        "templates": templates(json.loads((data / "svamp/SVAMP.json").read_bytes()), count),
        "edited_copies": edited_copies(real),
        "changed_words": changed_words(real[: count // 16]),
        "changed_code": changed_code([(f"{INTRODUCTION}\n\n{c['prompt']}", c["canonical_solution"]) for c in code]),
        "changed_calls": changed_calls(real[: count // 8]),
    }
    return {kind: list({chat.row.id: chat for chat in chats}.values()) for kind, chats in found.items()}


def shared_prompts(real: Sequence[tuple[str, str]], passages: Sequence[str]) -> Iterator[Made]:
    """Questions after one of some long passages, as system prompt or in the question; a tenth again with a typo.

    A passage ends in a line of its own, or goes on to the question on its last line.
    """
    chance = random.Random(2)
    instructions = (f"{passages[0]}\n", f"{passages[1]}\n", f"{cut(passages[2])} - ", f"{cut(passages[3])} ")
    for number, (question, answer) in enumerate(real):
        place = {"system": passages[number // 2 % 2]} if number % 2 else {"instruction": instructions[number // 2 % 4]}
        yield made(question, answer, **place)
        yield made(question, f"It is {NUMBER.findall(answer)[-1]}.", **place)
        if number % 10 < 2:
            yield made(edited(question, 1, chance), answer, **place, says=(question, answer))


def cut(passage: str) -> str:
    """A passage as one sentence without an end."""
    return re.sub(r"[^\w ]+", "", passage)


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
    """Questions and answers, and copies of them with one to eight edits of either or both."""
    chance = random.Random(4)
    for question, answer in real:
        yield made(question, answer)
        sides = chance.choice(((1, 0), (1, 0), (0, 1), (1, 1)))
        edits = [chance.choice((1, 1, 2, 3, 5, 8)) * side for side in sides]
        copy = edited(question, edits[0], chance)
        yield made(copy, edited(answer, edits[1], chance, question.split()), says=(question, answer))


def changed_words(real: Sequence[tuple[str, str]]) -> Iterator[Made]:
    """Chats, each also with another word in the answer, in question and answer, or in the system prompt."""
    system = "You are the tutor of a school. You {} show your work, one step on each line, and end with the result."
    for question, answer in real:
        for one, other in OPPOSED:
            yield made(question, f"{answer}\nThat {one} be so.")
            yield made(question, f"{answer}\nThat {other} be so.")
        yield made(question, answer, system.format("always"))
        yield made(question, answer, system.format("never"))
        number = NUMBER.search(question)
        if number:
            yield made(f"{question[: number.start()]}{int(number[0]) + 1}{question[number.end() :]}", answer)
        for place in ("kitchen", "bedroom"):
            yield made(f"{question} (Asked in the {place}.)", f"{answer} (Answered in the {place}.)")


def changed_code(real: Sequence[tuple[str, str]]) -> Iterator[Made]:
    """Functions to complete, also with another indentation, case or operator, and again with a typo in the prose."""
    for prompt, code in real:
        lines = code.rstrip().split("\n")
        for change in (
            lines,
            [*lines[:-1], f"    {lines[-1]}"],
            [*lines[:-1], lines[-1].upper()],
            *([line.replace(one, other) for line in lines] for one, other in CODE_CHANGES),
        ):
            yield made(prompt, "\n".join(change))
        yield made(prompt.replace("behaviour", "behavour"), "\n".join(lines), says=(prompt, "\n".join(lines)))


def changed_calls(real: Sequence[tuple[str, str]]) -> Iterator[Made]:
    """Questions answered by a search for them, also in another case or with another space."""
    for question, _ in real:
        for text in (question, question.upper(), question.replace(" ", "  ", 1)):
            call = ToolCall(Function("search", {"text": text}), "function", "1")
            yield made(question, "", calls=[call], says=(question, text))
        again = ToolCall(Function("search", {"text": question}), "function", "2")
        yield made(question.replace(", ", " "), "", calls=[again], says=(question, question))


def edited(text: str, edits: int, chance: random.Random, spared: Sequence[str] = ()) -> str:
    """The text with this many edits that keep what it says: of words, of marks and of case, and a sentence added.

    No word is edited twice, and none of `spared`.
    """
    words = text.split(" ")
    plain = [
        place for place, word in enumerate(words)
        if re.fullmatch("[a-z]{7,}(?<!ers)", word) and words.count(word) == 1 and word not in IN_PAIRS
        and word not in spared
    ]  # fmt: skip
    chance.shuffle(plain)
    for place in plain[:edits]:
        word, at, edit = words[place], chance.randrange(1, len(words[place]) - 1), chance.randrange(8)
        words[place] = (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + BESIDE[word[at]] + word[at + 1 :],
            f"{word} {word}",
            f"{word},",
            word.upper(),
            f" {word}",
        )[edit]
    added = "\nTake your time and explain it to a child." if edits == 3 else ""
    return " ".join(words) + added


def same(a: Made, b: Made) -> bool:
    """The rule, of two chats whose questions are alike."""
    return (
        a.says == b.says
        and a.shared == b.shared
        and jaccard(shingles(a.answer, CHARS), shingles(b.answer, CHARS)) >= THRESHOLD
    )


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
