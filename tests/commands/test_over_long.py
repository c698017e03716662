"""`plan` counts the rows that are longer than a step's max_length, as training does."""

from pathlib import Path

import msgspec
import pytest

from stages.commands import over_long
from stages.rows import jsonl
from stages.rows.row import Chat, Message, make_row
from tests.tiny_models import SPECIAL_TOKENS, TEMPLATE, build_tokenizer, edit_json
from tests.training.test_resume import STEPS

SFT = STEPS["sft, all weights"]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "models/base"
    build_tokenizer(folder)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    edit_json(folder / "config.json", eos_token_id=SPECIAL_TOKENS.index("<|end|>"))
    return folder


def write(root: Path, lengths: list[int]) -> None:
    """Chats of so many tokens: one for each x, and four of roles and ends."""
    (root / "data/mixed").mkdir(parents=True, exist_ok=True)
    chats = [Chat([Message("user", "q"), Message("assistant", "x" * (n - 5))]) for n in lengths]
    jsonl.write(root / "data/mixed/chat.jsonl", (make_row(chat) for chat in chats))


@pytest.mark.parametrize(
    ("over_long_as", "told"),
    [
        ("truncate", "2 of 4 rows (50.0%) are longer than max_length: 40: cut"),
        ("drop", "2 of 4 rows (50.0%) are longer than max_length: 40: dropped"),
        ("error", "2 of 4 rows (50.0%) are longer than max_length: 40: refused: training would stop there"),
    ],
)
def test_rows_above_max_length_are_counted_and_what_becomes_of_them(
    tmp_path: Path, model: Path, over_long_as: str, told: str
) -> None:
    write(tmp_path, [20, 40, 41, 60])
    step = msgspec.structs.replace(SFT, max_length=40, over_long=over_long_as)

    assert over_long.line(tmp_path, step, model, None) == told


def test_none_is_said_too_and_rows_that_are_not_here_are_not(tmp_path: Path, model: Path) -> None:
    step = msgspec.structs.replace(SFT, max_length=60)
    assert over_long.line(tmp_path, step, model, None) == ""
    write(tmp_path, [20, 60])
    assert over_long.line(tmp_path, step, model, None) == "0 of 2 rows are longer than max_length: 60"


def test_of_many_rows_the_first_are_read(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, [20, 21, 22])
    monkeypatch.setattr(over_long, "READ", 2)

    told = over_long.line(tmp_path, msgspec.structs.replace(SFT, max_length=10), model, None)

    assert told == "2 of the first 2 rows (100.0%) are longer than max_length: 10: dropped"


def test_they_are_counted_again_where_rows_length_or_template_differ_and_not_else(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, count = [], over_long.count
    monkeypatch.setattr(over_long, "count", lambda *given: counted.append(1) or count(*given))
    step = msgspec.structs.replace(SFT, max_length=40)

    def times(*given: object) -> int:
        counted.clear()
        over_long.line(tmp_path, *given)
        return len(counted)

    write(tmp_path, [20, 41])
    assert times(step, model, None) == 1
    assert times(msgspec.structs.replace(step, learning_rate=0.5), model, None) == 0
    assert times(msgspec.structs.replace(step, max_length=41), model, None) == 1
    assert times(step, model, TEMPLATE.replace("<|user|>", "<|user|><|user|>")) == 1
    write(tmp_path, [20, 42])
    assert times(step, model, None) == 1
