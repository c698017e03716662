"""The tokens that are predicted of held-out rows are those that the loss sees in training."""

from pathlib import Path

import pytest

from stages.evaluating import expected_tokens
from stages.rows.row import Chat, Function, Message, Pair, ToolCall, make_row
from tests.tiny_models import TEMPLATE, build_model, build_tokenizer

HI, BYE = Message("user", "Hi"), Message("user", "Bye")
HELLO, NO_LOSS = Message("assistant", "The cat"), Message("assistant", "sat on", train=False)
UNMARKED = TEMPLATE.replace("{% generation %}", "").replace("{% endgeneration %}", "")


@pytest.fixture(scope="module", params=[TEMPLATE, UNMARKED], ids=["marked", "unmarked"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    build_tokenizer(folder, chat_template=request.param)
    return build_model(folder)


def predicted(model: Path, *contents: Chat | Pair) -> tuple[list[str], int]:
    """The predicted tokens of each row as text; rows left out."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    rows, left_out = expected_tokens.read([make_row(content) for content in contents], model)
    return [tokenizer.decode(row.targets()) for row in rows], left_out


def test_the_answer_and_its_end_are_predicted_and_the_question_is_not(model: Path) -> None:
    assert predicted(model, Chat([HI, HELLO])) == (["The cat<|end|>"], 0)


def test_of_a_pair_the_chosen_answer_is_predicted(model: Path) -> None:
    pair = Pair([HI], [HELLO], [Message("assistant", "on the mat")])

    assert predicted(model, pair) == (["The cat<|end|>"], 0)


def test_all_turns_that_are_trained_are_predicted_where_the_template_marks_them(model: Path) -> None:
    chat = Chat([HI, HELLO, BYE, NO_LOSS, HI, Message("assistant", "mat")])

    [text], _ = predicted(model, chat)
    marked = "{% generation %}" in (model / "chat_template.jinja").read_text()
    assert text == ("The cat<|end|>mat<|end|>" if marked else "mat<|end|>")


def test_rows_that_training_refuses_or_the_model_cannot_read_are_left_out_and_counted(model: Path) -> None:
    stops = Chat([HI, Message("assistant", "a <|end|> within")])
    long = Chat([Message("user", "cat " * 300), HELLO])

    assert predicted(model, stops, Chat([HI, HELLO]), long) == (["The cat<|end|>"], 2)


def test_rows_whose_calls_the_template_drops_are_left_out_as_training_refuses_them(model: Path) -> None:
    calls = Message("assistant", "The cat", [ToolCall(Function("time", {"zone": "CET"}), "function")])

    assert predicted(model, Chat([HI, calls]), Chat([HI, HELLO])) == (["The cat<|end|>"], 1)
