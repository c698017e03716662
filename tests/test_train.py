"""Training: which rows are trained on, and that saved files do not depend on chance."""

import json
from pathlib import Path

import msgspec
import pytest

from modelmake import params
from modelmake.errors import UserError
from stages import preflight, train
from stages.commands import init
from stages.params.training import Step
from stages.rows.row import Chat, Function, Message, Row, ToolCall, make_row
from stages.training.methods import sft

ROOT = Path(__file__).parents[1]


def step(**changes: object) -> Step:
    values = init.values(ROOT / "recipes/tiny.yaml", ROOT / "recipes/default.yaml")["train"]["sft"]
    return msgspec.convert({**values, **changes}, Step)


def chats(n: int) -> list[Row]:
    return [make_row(Chat([Message("user", f"q{i}"), Message("assistant", "a")])) for i in range(n)]


def test_rows_above_max_length_are_dropped_and_named() -> None:
    rows = chats(3)

    kept, long = train.filter_by_length(rows, [10, 300, 20], step(max_length=256, over_long="drop"), "train.sft")

    assert kept == [rows[0], rows[2]]
    assert long == [rows[1].id]


def test_a_row_that_is_repeated_in_the_mix_is_dropped_as_often() -> None:
    first, second = chats(2)

    kept, long = train.filter_by_length(
        [first, first, second], [300, 300, 20], step(max_length=256, over_long="drop"), "train.sft"
    )

    assert (kept, long) == ([second], [first.id] * 2)


def test_rows_above_max_length_are_kept_whole_if_over_long_is_truncate() -> None:
    rows = chats(2)

    kept, long = train.filter_by_length(rows, [10, 300], step(max_length=256, over_long="truncate"), "train.sft")

    assert kept == rows
    assert long == [rows[1].id]


def test_rows_above_max_length_are_an_error_if_over_long_is_error() -> None:
    rows = chats(2)

    with pytest.raises(UserError) as error:
        train.filter_by_length(rows, [10, 300], step(max_length=256, over_long="error"), "train.sft")

    assert str(error.value) == (
        f"train.sft: 1 rows above max_length = 256 tokens (longest 300, first {rows[1].id}): want none; "
        "raise it, or set over_long to drop"
    )


def test_a_row_of_exactly_max_length_fits() -> None:
    rows = chats(1)

    assert train.filter_by_length(rows, [256], step(max_length=256, over_long="error"), "train.sft") == (rows, [])


def test_the_summary_has_the_first_and_the_last_loss_if_one_was_logged() -> None:
    assert train.loss_summary([{"step": 1, "loss": 2.5}, {"step": 2, "eval_loss": 3}, {"step": 2, "loss": 0.25}]) == (
        "loss 2.500 -> 0.250"
    )
    assert train.loss_summary([{"step": 2, "eval_loss": 3}]) == "fewer steps than logging_steps: no loss logged"


def test_training_without_rows_is_an_error() -> None:
    with pytest.raises(UserError, match=r"train.sft: no rows to train on: 1 read, 1 too long; want at least one"):
        train.filter_by_length(chats(1), [300], step(max_length=256, over_long="drop"), "train.sft")


def test_padding_with_the_end_token_masks_no_end_token_of_a_row() -> None:
    """Many models pad with their end token. If padding were masked by token id, none would learn to stop."""
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    end = 7
    rows_of_tokens = [[1, 2, 3, end], [4, end]]
    batch = DataCollatorForLanguageModeling(pad_token_id=end)([{"input_ids": row} for row in rows_of_tokens])

    assert batch["labels"].tolist() == [[1, 2, 3, end], [4, end, -100, -100]]


def test_trl_knows_every_field_of_the_training_arguments() -> None:
    from trl import DPOConfig, SFTConfig

    chapters, problems = preflight.decode(params.load(ROOT / "params.yaml"))
    assert problems == []
    names = train.training_arguments(chapters["train"]["sft"], chapters["machine"], Path("x")).keys()

    for config in (SFTConfig, DPOConfig):
        assert names <= set(config.__dataclass_fields__)


def test_an_adapter_is_saved_with_its_modules_in_order(built) -> None:
    folder = built.path / "models/trained/dpo"
    config = json.loads((folder / "adapter_config.json").read_text())

    assert {file.name for file in folder.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    assert config["target_modules"] == sorted(config["target_modules"])
    assert list(config) == sorted(config)


def test_tool_calls_reach_the_trainer_unchanged() -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    messages = [
        Message("user", "q"),
        Message("assistant", "", [ToolCall(Function("f", {"a": 1}), "function", "1")]),
        Message("tool", "2", name="f", tool_call_id="1"),
        Message("assistant", "", [ToolCall(Function("g", {"b": "x"}), "function")]),
    ]

    plain, with_tools = train.as_dataset([sft.example(c) for c in (chats(1)[0].content, Chat(messages, tools))])

    assert plain == {
        "messages": [{"role": "user", "content": "q0"}, {"role": "assistant", "content": "a"}],
        "tools": None,
    }
    assert with_tools == {
        "messages": [
            {"role": "user", "content": "q"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}, "type": "function", "id": "1"}],
            },
            {"role": "tool", "content": "2", "name": "f", "tool_call_id": "1"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"function": {"name": "g", "arguments": {"b": "x"}}, "type": "function"}],
            },
        ],
        "tools": tools,
    }
