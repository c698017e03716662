"""A tiny base model is pretrained on texts and questions, never on answers."""

from stages.rows.row import Chat, Judged, Message, Pair, Text
from stages.training import corpus


def test_pretraining_uses_texts_and_questions_but_no_answer() -> None:
    question, answer = Message("user", "u"), Message("assistant", "a")
    contents = [
        Text("t"),
        Chat([Message("system", "s"), question, answer, Message("user", "v"), answer]),
        Pair([question], [answer], [Message("assistant", "r")]),
        Judged([question], [answer], good=False),
    ]

    assert [corpus.texts(content) for content in contents] == [["t"], ["u", "v"], ["u"], ["u"]]
