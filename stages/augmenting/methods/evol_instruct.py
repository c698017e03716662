"""A harder question made of the last one, and the teacher's answer (Xu et al. 2023, arXiv:2304.12244)."""

import hashlib
from collections.abc import Sequence

from stages.augmenting.requests import Asking
from stages.params.augmentation import EvolInstruct
from stages.rows.row import Chat, Message

TEMPLATES = tuple(f"evol_instruct/{way}.txt" for way in ("broaden", "concrete", "constraints", "deepen", "reasoning"))


def make(seeds: Sequence[Chat], asking: Asking, params: EvolInstruct) -> Chat:
    """The turns before, another last question, its answer. In which way it is harder, the hash of the old one says."""
    *before, question, _ = seeds[0].messages
    number = int.from_bytes(hashlib.sha256(question.content.encode()).digest()[:8], "big")
    harder = asking.question(asking.filled(TEMPLATES[number % len(TEMPLATES)], question=question.content))
    turns = [*before, Message("user", harder)]
    return Chat([*turns, Message("assistant", asking.answer(turns))])
