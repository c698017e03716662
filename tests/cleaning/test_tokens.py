"""Lengths in tokens are those of training, with the chat template of the model."""

import re
from collections import Counter
from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages import base
from stages.cleaning import tokens
from stages.params.base_model import Tiny
from stages.rows.row import Chat, Judged, Message, Pair, Text
from tests import made_up_cleaning


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer for which every letter used here is a token, with the tiny model's template."""
    path = tmp_path_factory.mktemp("model")
    params = Tiny(
        source="", vocab_size=300, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1,
        max_position_embeddings=64, max_steps=1, per_device_train_batch_size=1, block_tokens=8, learning_rate=1.0,
        warmup_steps=0, weight_decay=0.0, seed=1,
    )  # fmt: skip
    base.train_tokenizer(["z"], params).save_pretrained(path)
    return path


CHAT = [Message("user", "abc"), Message("assistant", "de")]


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (Text("abc"), 3 + 1),  # and the end of the text
        (Chat(CHAT), 1 + 3 + 1 + 1 + 2 + 1),  # each turn between its role and the end
        (Pair(CHAT[:1], CHAT[1:], [Message("assistant", "defg")]), 1 + 3 + 1 + 1 + 4 + 1),  # the longer side
        (Judged(CHAT[:1], CHAT[1:], good=False), 1 + 3 + 1 + 1 + 2 + 1),
    ],
)
def test_tokens_are_counted_with_those_of_the_template(content, count: int, folder: Path) -> None:
    assert tokens.count(content, folder) == count
    fits, small = (made_up_cleaning.params(max_tokens=n) for n in (count, count - 1))
    assert tokens.problem(content, fits, folder, Counter()) is None
    assert tokens.problem(content, small, folder, Counter()) == (
        "over_long", f"{count} tokens, at most {count - 1}",
    )  # fmt: skip


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"^clean.tokenizer = '{re.escape(str(tmp_path))}': no tokenizer.json there: "
                       r"want a model's folder; name models/base \(see docs/your-data.md\), or write "
                       "clean.max_tokens: null$"):  # fmt: skip
        tokens.load_tokenizer(tmp_path)


def test_a_tokenizer_without_a_template_is_refused(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        if file.name != "chat_template.jinja":
            (tmp_path / file.name).write_bytes(file.read_bytes())

    with pytest.raises(UserError, match=r"no chat template there: want one; name models/base"):
        tokens.load_tokenizer(tmp_path)
