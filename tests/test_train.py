"""Training: which rows are sent, and that what is saved does not depend on chance."""

import json
from pathlib import Path

import msgspec
import pytest

from modelmake import params
from modelmake.errors import UserError
from stages import preflight, train
from stages.params.training import Step
from stages.rows.row import Chat, Function, Message, Row, ToolCall, make_row
from stages.training.methods import sft

ROOT = Path(__file__).parents[1]


def step(**changes: object) -> Step:
    values = params.load(ROOT / "recipes/tiny.yaml")["train"]["sft"]
    return msgspec.convert({**values, **changes}, Step)


def chats(n: int) -> list[Row]:
    return [make_row(Chat([Message("user", f"q{i}"), Message("assistant", "a")])) for i in range(n)]


def test_rows_above_max_length_are_dropped_and_named() -> None:
    found = chats(3)

    kept, long = train.fit(found, [10, 300, 20], step(max_length=256, over_long="drop"), "train.sft")

    assert kept == [found[0], found[2]]
    assert long == [found[1].id]


def test_a_row_that_the_mix_shows_twice_is_dropped_twice_where_it_is_too_long() -> None:
    first, second = chats(2)

    kept, long = train.fit([first, first, second], [300, 300, 20], step(max_length=256, over_long="drop"), "train.sft")

    assert (kept, long) == ([second], [first.id] * 2)


def test_rows_above_max_length_are_sent_whole_where_the_policy_is_truncate() -> None:
    found = chats(2)

    kept, long = train.fit(found, [10, 300], step(max_length=256, over_long="truncate"), "train.sft")

    assert kept == found
    assert long == [found[1].id]


def test_rows_above_max_length_are_refused_where_the_policy_is_error() -> None:
    found = chats(2)

    with pytest.raises(UserError) as error:
        train.fit(found, [10, 300], step(max_length=256, over_long="error"), "train.sft")

    assert str(error.value) == (
        f"train.sft: 1 rows above max_length = 256 tokens (longest 300, first {found[1].id}): want none; "
        "raise it, or set over_long to drop"
    )


def test_a_row_of_exactly_max_length_fits() -> None:
    found = chats(1)

    assert train.fit(found, [256], step(max_length=256, over_long="error"), "train.sft") == (found, [])


def test_a_training_shorter_than_logging_steps_is_told_without_a_loss() -> None:
    assert train.losses([{"step": 1, "loss": 2.5}, {"step": 2, "eval_loss": 3}, {"step": 2, "loss": 0.25}]) == (
        "loss 2.500 -> 0.250"
    )
    assert train.losses([{"step": 2, "eval_loss": 3}]) == "fewer steps than logging_steps: no loss logged"


def test_training_on_nothing_is_refused() -> None:
    with pytest.raises(UserError, match=r"train.sft: no rows to train on: 1 read, 1 too long; want at least one"):
        train.fit(chats(1), [300], step(max_length=256, over_long="drop"), "train.sft")


def test_padding_with_the_end_token_leaves_ends_to_learn_from() -> None:
    """Many models pad with their end token. If padding were masked by token, none would ever learn to stop."""
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    end = 7
    rows_of_tokens = [[1, 2, 3, end], [4, end]]
    batch = DataCollatorForLanguageModeling(pad_token_id=end)([{"input_ids": row} for row in rows_of_tokens])

    assert batch["labels"].tolist() == [[1, 2, 3, end], [4, end, -100, -100]]


def test_every_field_of_the_common_arguments_is_one_that_trl_knows() -> None:
    from trl import DPOConfig, SFTConfig

    chapters, problems = preflight.decode(params.load(ROOT / "params.yaml"))
    assert problems == []
    given = train.arguments(chapters["train"]["sft"], chapters["machine"], Path("x")).keys()

    for config in (SFTConfig, DPOConfig):
        assert given <= set(config.__dataclass_fields__)


def test_an_adapter_is_saved_with_its_modules_in_order(built) -> None:
    folder = built.path / "models/trained/dpo"
    config = json.loads((folder / "adapter_config.json").read_text())

    assert {file.name for file in folder.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    assert config["target_modules"] == sorted(config["target_modules"])
    assert list(config) == sorted(config)


def test_calls_of_tools_reach_the_trainer_as_the_row_has_them() -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    called = [
        Message("user", "q"),
        Message("assistant", "", [ToolCall(Function("f", {"a": 1}), "function", "1")]),
        Message("tool", "2", name="f", tool_call_id="1"),
        Message("assistant", "", [ToolCall(Function("g", {"b": "x"}), "function")]),
    ]

    plain, with_tools = train.table([sft.example(c) for c in (chats(1)[0].content, Chat(called, tools))])

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
