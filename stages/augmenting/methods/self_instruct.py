"""Self-Instruct: a new question like some examples, answered by the teacher (Wang et al. 2022, arXiv:2212.10560)."""

from collections.abc import Sequence

from stages.augmenting.requests import Session
from stages.params.augmentation import SelfInstruct
from stages.rows.row import Chat, Message

TEMPLATE = "self_instruct.txt"


def make(seeds: Sequence[Chat], session: Session, params: SelfInstruct) -> Chat:
    """A chat of one question and its answer, under the first seed's system prompt."""
    examples = "\n\n".join(f"{number}. {chat.messages[-2].content}" for number, chat in enumerate(seeds, 1))
    question = session.question(session.prompt(TEMPLATE, examples=examples))
    turns = [*(turn for turn in seeds[0].messages[:1] if turn.role == "system"), Message("user", question)]
    return Chat([*turns, Message("assistant", session.answer(turns))])
