"""Evol-Instruct: a harder version of the last question, answered by the teacher (Xu et al. 2023, arXiv:2304.12244)."""

import hashlib
from collections.abc import Sequence

from stages.augmenting.requests import Session
from stages.params.augmentation import EvolInstruct
from stages.rows.row import Chat, Message

TEMPLATES = tuple(f"evol_instruct/{way}.txt" for way in ("broaden", "concrete", "constraints", "deepen", "reasoning"))


def make(seeds: Sequence[Chat], session: Session, params: EvolInstruct) -> Chat:
    """The chat with a harder last question and the teacher's answer. The hash of the question picks the template."""
    *before, question, _ = seeds[0].messages
    number = int.from_bytes(hashlib.sha256(question.content.encode()).digest()[:8], "big")
    harder = session.question(session.prompt(TEMPLATES[number % len(TEMPLATES)], question=question.content))
    turns = [*before, Message("user", harder)]
    return Chat([*turns, Message("assistant", session.answer(turns))])
