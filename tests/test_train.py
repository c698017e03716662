"""Training: which rows are trained on, and that saved files do not depend on chance."""

import json
import re
import shutil
from pathlib import Path

import msgspec
import pytest

from modelmake import params
from modelmake.errors import UserError
from stages import preflight, train
from stages.base import CHAT_TEMPLATE
from stages.commands import init
from stages.params.machine import Machine
from stages.params.training import Step
from stages.rows import jsonl
from stages.rows.row import Chat, Function, Message, Pair, ToolCall, make_row
from stages.training import kept_rows, outcome, tokens, trainers
from stages.training.row_renderer import RowRenderer
from stages.training.weights import all as all_weights
from tests.tiny_models import TEMPLATE, build_model, build_tokenizer

ROOT = Path(__file__).parents[1]


def step(name: str = "sft", **changes: object) -> Step:
    values = init.values(ROOT / "recipes/tiny.yaml", ROOT / "recipes/default.yaml")["train"][name]
    small = {"num_train_epochs": 2, "per_device_train_batch_size": 4, "logging_steps": 1, "eval_steps": 2}
    return msgspec.convert({**values, **small, "max_length": 256, "over_long": "drop", **changes}, Step)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with the default's template, which renders tools, calls and reasoning."""
    folder = tmp_path_factory.mktemp("model")
    build_tokenizer(folder, chat_template=CHAT_TEMPLATE)
    return build_model(folder)


@pytest.fixture
def run(model: Path, tmp_path: Path):
    """Runs the stage on rows for training and validation; returns its outputs' folder."""

    def training(params: Step, rows: list, val: list, start: Path = model) -> Path:
        for name, contents in (("train", rows), ("val", val)):
            jsonl.write(tmp_path / f"{name}.jsonl", [make_row(content) for content in contents])
        outputs = [tmp_path / name for name in ("trained", "consumed.jsonl", "log.json", "checkpoints")]
        files = [tmp_path / "train.jsonl", tmp_path / "val.jsonl"]
        line = train.main(
            start, ROOT / params.second_model, *files, *outputs, "step", params, Machine("cpu", "float32", 1)
        )
        (tmp_path / "line").write_text(line)
        return tmp_path

    return training


def chat(question: str, *answers: Message, tools: tuple = ()) -> Chat:
    return Chat([turn for answer in answers for turn in (Message("user", question), answer)], list(tools))


ANSWER = Message("assistant", "yes")


def call(**arguments: object) -> Message:
    return Message("assistant", "", [ToolCall(Function("weather", arguments), "function")])


def schema(default: object, enum: list) -> dict:
    parameters = {"properties": {"code": {"default": default}, "day": {"enum": enum}}}
    return {"type": "function", "function": {"name": "weather", "parameters": parameters}}


def test_the_summary_has_the_first_and_the_last_loss_if_one_was_logged() -> None:
    history = [{"step": 1, "loss": 2.5}, {"step": 2, "eval_loss": 3}, {"step": 2, "loss": 0.25, "reward": 1.0}]
    assert outcome.change(history, "loss") == "loss 2.500 -> 0.250"
    assert outcome.change(history, "reward") == "reward 1.000 -> 1.000"
    assert outcome.change([{"step": 2, "eval_loss": 3}], "loss") == "fewer steps than logging_steps: no loss logged"


def test_padding_with_the_end_token_masks_no_end_token_of_a_row() -> None:
    """Many models pad with their end token. If padding were masked by token id, none would learn to stop."""
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    end = 7
    rows_of_tokens = [[1, 2, 3, end], [4, end]]
    batch = DataCollatorForLanguageModeling(pad_token_id=end)([{"input_ids": row} for row in rows_of_tokens])

    assert batch["labels"].tolist() == [[1, 2, 3, end], [4, end, -100, -100]]


def test_trl_knows_every_field_of_the_training_arguments() -> None:
    from trl import DPOConfig, KTOConfig, SFTConfig

    chapters, problems = preflight.decode(params.load(ROOT / "params.yaml"))
    assert problems == []
    names = trainers.arguments(chapters["train"]["sft"], chapters["machine"], Path("x")).keys()

    for config in (SFTConfig, DPOConfig, KTOConfig):
        assert names <= set(config.__dataclass_fields__)


def test_an_adapter_is_saved_with_its_modules_in_order(built) -> None:
    folder = built.path / "models/trained/dpo"
    config = json.loads((folder / "adapter_config.json").read_text())

    assert {file.name for file in folder.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    assert config["target_modules"] == sorted(config["target_modules"])
    assert list(config) == sorted(config)


def trained_texts(model: Path, step_: Step, contents: list) -> list[tuple[str, str]]:
    """What the trainer's batches hold of each row: all of it, and what the loss sees, decoded."""
    import importlib

    import torch
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    method = importlib.import_module(step_.modules()[0])
    renderer = RowRenderer(tokenizer, method.loss(step_), ["<|end|>"], [])
    encoded = list(tokens.encode(contents, tokenizer, renderer))
    rows = [make_row(content) for content in contents]
    dataset = kept_rows.keep(rows, encoded, step_, "train.step").dataset(method.example)
    network, _ = all_weights.load(model, step_, Machine("cpu", "float32", 1))
    arguments = trainers.arguments(step_, Machine("cpu", "float32", 1), Path("unused")) | {"eval_strategy": "no"}
    trainer = method.trainer(step_, arguments, model=network, train_dataset=dataset, processing_class=tokenizer)
    batch = trainer.data_collator([trainer.train_dataset[i] for i in range(len(contents))])
    seen = batch["labels"] != -100 if "labels" in batch else batch["completion_mask"] == 1
    assert not torch.any(seen & (batch["attention_mask"] == 0))
    return [
        (tokenizer.decode(ids[real == 1]), tokenizer.decode(ids[mask]))
        for ids, real, mask in zip(batch["input_ids"], batch["attention_mask"], seen, strict=True)
    ]


def test_tools_and_arguments_of_several_rows_reach_the_trainer_as_they_are(model: Path) -> None:
    """datasets would parse strings of mixed columns: "007" to 7, ["1", "2"] to [1, 2]."""
    first = chat("q", call(code="007", town="null"), tools=(schema("007", ["1", "2"]),))
    second = chat("q", call(code=5, town=None), tools=(schema(5, [1, 2]),))

    (text, seen), (other_text, other_seen) = trained_texts(model, step(), [first, second])

    assert seen == '<tool_call>\n{"name": "weather", "arguments": {"code": "007", "town": "null"}}\n</tool_call><|end|>'
    assert other_seen == '<tool_call>\n{"name": "weather", "arguments": {"code": 5, "town": null}}\n</tool_call><|end|>'
    assert '{"default": "007"}' in text and '{"enum": ["1", "2"]}' in text
    assert '{"default": 5}' in other_text and '{"enum": [1, 2]}' in other_text


def test_the_trainer_reads_masks_reasoning_and_both_answers_with_their_tools(model: Path) -> None:
    masked = chat("q", Message("assistant", "no", train=False), Message("assistant", "yes", reasoning_content="well"))
    [(_, seen)] = trained_texts(model, step(), [masked])
    assert seen == "<think>\nwell\n</think>\n\nyes<|end|>"

    pair = Pair([Message("user", "q")], [call(code="1")], [ANSWER], [schema("007", [])])
    (text, chosen), (other_text, rejected) = trained_texts(model, step("dpo"), [pair])
    assert chosen == '<tool_call>\n{"name": "weather", "arguments": {"code": "1"}}\n</tool_call><|end|>'
    assert rejected == "yes<|end|>"
    assert text.startswith("<|system|><tools>") and other_text.startswith("<|system|><tools>")


def test_rows_that_lose_something_stop_training_before_the_model_is_loaded(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content_only = tmp_path / "content_only"
    build_tokenizer(content_only, chat_template=TEMPLATE)
    (content_only / "generation_config.json").write_text('{"eos_token_id": 4}')
    monkeypatch.setattr(all_weights, "load", lambda *_: pytest.fail("the model was loaded"))
    with_call, thought = chat("q", call(code="1")), chat("q", Message("assistant", "a", reasoning_content="hm"))

    with pytest.raises(UserError) as error:
        run(step(), [chat("q", ANSWER), with_call], [thought], content_only)

    message = str(error.value)
    assert f"train.jsonl: tool_calls is not rendered (1 rows, first {make_row(with_call).id}: 'weather')" in message
    assert f"val.jsonl: reasoning_content is not rendered (1 rows, first {make_row(thought).id}: 'hm')" in message
    assert "\n" not in message and "base.chat_template" in message


def test_a_template_without_generation_blocks_is_refused(run, model: Path, tmp_path: Path) -> None:
    start = shutil.copytree(model, tmp_path / "start")
    (start / "chat_template.jinja").write_text(re.sub(r"{%-? (end)?generation %}", "", CHAT_TEMPLATE))

    with pytest.raises(
        UserError, match=r"^train.step.assistant_only_loss = True: the chat template of .* has no {% gen"
    ):
        run(step(), [chat("q", ANSWER)], [], start)


def test_tokens_are_counted_and_rows_without_any_to_train_on_are_dropped_by_name(run) -> None:
    untrained = chat("q", Message("assistant", "a", train=False))
    long = chat("q" * 300, ANSWER)

    folder = run(step(), [chat("q", ANSWER), chat("qq", ANSWER), untrained, long], [chat("v", ANSWER)])

    log = json.loads((folder / "log.json").read_text())
    assert (log["in"], log["out"], log["dropped"]) == (4, 2, {"over_long": 1, "untrained": 1})
    assert (log["over_long"], log["untrained"]) == ([make_row(long).id], [make_row(untrained).id])
    n_answer = log["val_tokens"]["trained"]  # after <|user|> q <|end|> <|assistant|>
    assert log["tokens"] == {
        "rows": 2, "total": 2 * (4 + n_answer) + 1, "trained": 2 * n_answer, "longest": 303 + n_answer,
        "over_long": 0.25, "omitted": {},
    }  # fmt: skip
    assert log["val_tokens"] == {
        "rows": 1, "total": 4 + n_answer, "trained": n_answer, "longest": 4 + n_answer, "over_long": 0.0, "omitted": {},
    }  # fmt: skip


def test_rows_are_cut_as_declared_and_those_whose_answer_is_cut_off_are_dropped(run) -> None:
    rows = [chat("q", ANSWER), chat("q" * 50, ANSWER)]

    folder = run(step(max_length=20, over_long="truncate"), [*rows, chat("q", Message("assistant", "y" * 50))], rows)

    log = json.loads((folder / "log.json").read_text())
    assert (log["in"], log["out"], log["dropped"]) == (3, 2, {"untrained": 1})
    assert log["untrained"] == [make_row(rows[1]).id]
    assert len(log["over_long"]) == 2
    assert log["tokens"]["longest"] > 50
    assert "2 truncated" in (folder / "line").read_text()


def test_val_rows_that_are_not_evaluated_are_counted_and_told_with_their_reasons(run) -> None:
    untrained = chat("w", Message("assistant", "a", train=False))

    folder = run(step(), [chat("q", ANSWER)], [chat("v", ANSWER), chat("v" * 300, ANSWER), untrained])

    assert json.loads((folder / "log.json").read_text())["val"] == {
        "in": 3, "out": 1, "dropped": {"over_long": 1, "untrained": 1},
    }  # fmt: skip
    assert "; val: 3 rows in, 1 out, 2 dropped (over_long 1, untrained 1); " in (folder / "line").read_text()


def test_a_training_of_fewer_steps_than_eval_steps_is_evaluated_at_its_end(run) -> None:
    folder = run(step(eval_steps=1000), [chat("q", ANSWER)], [chat("v", ANSWER)])

    history = json.loads((folder / "log.json").read_text())["history"]
    assert "eval_loss" in history[-1]
    assert "no eval_loss" not in (folder / "line").read_text()


def test_no_val_rows_leave_the_evaluation_loss_out_and_say_so(run) -> None:
    folder = run(step(), [chat("q", ANSWER), chat("r", ANSWER)], [])

    log = json.loads((folder / "log.json").read_text())
    assert log["steps"] == 2
    assert not any("eval_loss" in entry for entry in log["history"])
    assert "; no val rows, so no eval_loss; " in (folder / "line").read_text()


def test_without_rows_training_says_where_they_were_lost(run) -> None:
    with pytest.raises(UserError, match=r"no rows to train on: 1 too long, 0 with nothing to train on; want at least"):
        run(step(max_length=3), [chat("q", ANSWER)], [])


def test_rows_above_max_length_are_an_error_if_over_long_is_error(run) -> None:
    long = chat("q" * 20, ANSWER)
    with pytest.raises(UserError) as error:
        run(step(max_length=12, over_long="error"), [chat("q", ANSWER), long], [])

    message = r"train\.jsonl: 1 rows above max_length = 12 tokens \(longest \d+, first " + make_row(long).id
    assert re.search(message, str(error.value))
