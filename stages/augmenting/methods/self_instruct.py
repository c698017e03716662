"""A new question like some that are shown, and the teacher's answer (Wang et al. 2022, arXiv:2212.10560)."""

from collections.abc import Sequence

from stages.augmenting.requests import Asking
from stages.params.augmentation import SelfInstruct
from stages.rows.row import Chat, Message

TEMPLATE = "self_instruct.txt"


def make(seeds: Sequence[Chat], asking: Asking, params: SelfInstruct) -> Chat:
    """A chat of one question, below the first one's system prompt."""
    shown = "\n\n".join(f"{number}. {chat.messages[-2].content}" for number, chat in enumerate(seeds, 1))
    question = asking.question(asking.filled(TEMPLATE, examples=shown))
    turns = [*(turn for turn in seeds[0].messages[:1] if turn.role == "system"), Message("user", question)]
    return Chat([*turns, Message("assistant", asking.answer(turns))])
