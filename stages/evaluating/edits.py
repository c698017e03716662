"""What users write, with slips of the keyboard, lost spaces, or all in one case; system prompts left out.

Edits follow from the seed and the row's id, so that a row more changes no other row. Answers, tools, and what
assistants and tools say before the answer stay.
"""

import random
import re

import msgspec

from stages.params.variation import Variant
from stages.rows import parts
from stages.rows.row import Message, Row

WORD = re.compile(r"[^\W\d_]{4,}")  # shorter ones, and what has digits in it, may be names of something
GAP = re.compile(r"(?<=\S) (?=\S)")
CASES = {"keep": str, "lower": str.lower, "upper": str.upper}


def edited(row: Row, params: Variant) -> Row:
    """The row with its questions written otherwise; its id is still the old one."""
    rng = random.Random(f"{params.seed} {row.id}")
    split = parts.split(row.content)
    turns = [turn for turn in split.prompt if params.system_prompt == "keep" or turn.role != "system"]
    prompt = [_written(turn, params, rng) if turn.role == "user" else turn for turn in turns]
    return msgspec.structs.replace(row, content=parts.join(row.content, split._replace(prompt=prompt)))


def _written(turn: Message, params: Variant, rng: random.Random) -> Message:
    text = WORD.sub(lambda match: slip(match[0], rng) if rng.random() < params.typos else match[0], turn.content)
    text = GAP.sub(lambda match: rng.choice(["", "  "]) if rng.random() < params.spaces else match[0], text)
    return msgspec.structs.replace(turn, content=CASES[params.case](text))


def slip(word: str, rng: random.Random) -> str:
    """The word with two letters in the wrong order, one left out, or one twice, but not its first letter."""
    at = rng.randrange(1, len(word) - 1)
    swapped = f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}"
    return rng.choice([
        *([swapped] if swapped != word else []), f"{word[:at]}{word[at + 1:]}", f"{word[:at]}{word[at]}{word[at:]}",
    ])  # fmt: skip
