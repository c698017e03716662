"""GRPO and RLOO: answers that are worth more become likelier; prompts and answers are those of evaluation."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from modelmake.errors import UserError
from stages import train
from stages.evaluating.questions import questions
from stages.evaluating.runtimes import transformers as runtime
from stages.params.machine import Machine
from stages.params.step_fields import Best
from stages.params.training import Grpo, OwnAnswers, Rloo
from stages.params.weights import All
from stages.rows import jsonl
from stages.rows.row import Chat, Message, Row, make_row
from stages.training import kept_rows, own_answers, trainers
from stages.training.given import Given
from stages.training.methods import grpo, rloo
from stages.training.row_renderer import RowRenderer
from tests.tiny_models import PLAIN_LORA, SPECIAL_TOKENS, TEMPLATE, build_model, build_tokenizer, teach
from tests.training.test_resume import OWN_ANSWERS, ROOT

CPU = Machine("cpu", "float32", 1)
VALUES = OWN_ANSWERS | {
    "rewards": {"exact_match": 1.0}, "num_train_epochs": 8, "num_generations": 4, "lr_scheduler_type": "constant",
    "warmup_steps": 0, "weights": PLAIN_LORA, "learning_rate": 1e-2,
}  # fmt: skip
STEPS: dict[str, OwnAnswers] = {
    "grpo": Grpo(**VALUES, loss_type="grpo", scale_rewards="group"),
    "rloo": Rloo(**VALUES, normalize_advantages=False),
}
METHODS = {"grpo": grpo, "rloo": rloo}
ROWS = sorted(
    (make_row(Chat([Message("user", f"q {n}"), Message("assistant", "yes")])) for n in range(3)), key=lambda row: row.id
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that answers yes as often as no."""
    folder = build_model(tmp_path_factory.mktemp("model"))
    return teach(folder, [q for q in questions(ROWS) for _ in range(2)], ["yes", "no"] * len(ROWS))


def run(model: Path, folder: Path, params: OwnAnswers, rows: list[Row] = ROWS) -> tuple[dict[str, Any], str]:
    """(the log, the line) of the stage."""
    for name in ("train", "val"):
        jsonl.write(folder / f"{name}.jsonl", rows)
    files = [folder / name for name in ("train.jsonl", "val.jsonl", "trained", "consumed.jsonl", "log.json", "work")]
    line = train.main(model, ROOT / params.second_model, *files, "step", params, CPU)
    return json.loads((folder / "log.json").read_text()), line


def trainer(model: Path, folder: Path, params: OwnAnswers, rows: list[Row] = ROWS) -> Any:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    name = type(params).__struct_config__.tag
    file = folder / "rows.jsonl"
    jsonl.write(file, rows)
    [kept] = kept_rows.read([file], RowRenderer(tokenizer, METHODS[name].loss(params), ["<|end|>"], []), params, name)
    nothing = kept_rows.keep([], [], params, name)
    own_answers.check(Given(model, ROOT / params.second_model, tokenizer, kept, nothing), params)
    arguments = trainers.arguments(params, CPU, folder) | {"eval_strategy": "no"}
    return METHODS[name].trainer(
        params, arguments, model=AutoModelForCausalLM.from_pretrained(model), processing_class=tokenizer,
        train_dataset=kept.dataset(own_answers.example), eval_dataset=None, peft_config=None,
    )  # fmt: skip


@pytest.mark.parametrize("method", STEPS)
def test_answers_that_are_worth_more_become_likelier(
    model: Path, tmp_path: Path, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log, line = run(model, tmp_path, STEPS[method])

    rewards = [entry["reward"] for entry in log["history"] if "reward" in entry]
    held_out = [entry["eval_reward"] for entry in log["history"] if "eval_reward" in entry]
    assert rewards[0] < 0.8 < 0.9 < rewards[-1]
    assert held_out[-1] == 1.0
    assert not any("loss" in name or "time" in name for entry in log["history"] for name in entry)
    steps = [json.loads(batch) for batch in (tmp_path / "consumed.jsonl").read_text().splitlines()]
    assert [step["step"] for step in steps] == list(range(1, 9))
    assert all(len(set(step["ids"])) == 2 and {*step["ids"]} < {row.id for row in ROWS} for step in steps)
    assert log["groups"] == 16 and 0 < log["equal_groups"] < 16
    assert f"; {log['equal_groups']} of 16 groups of answers had equal rewards: nothing learned; " in line
    assert line.endswith(f"reward {rewards[0]:.3f} -> 1.000")
    printed = capsys.readouterr().out
    assert "  1 of 3 prompts, others each time, are left out of an epoch: a step has 2\n" in printed
    assert "  step 8/8: reward 1.0000, reward_std 0.0000" in printed


def test_the_weights_with_the_best_held_out_reward_can_be_kept(model: Path, tmp_path: Path) -> None:
    params = replace(STEPS["grpo"], num_train_epochs=4, eval_steps=1, best=Best("eval_reward", None))

    log, line = run(model, tmp_path, params)

    held_out = {entry["step"]: entry["eval_reward"] for entry in log["history"] if "eval_reward" in entry}
    best = min(held_out, key=lambda step: -held_out[step])
    assert len(held_out) == 4 and log["best"] == {"step": best, "eval_reward": held_out[best]}
    assert f"; kept step {best} of 4, eval_reward {held_out[best]:.4f}; " in line


def test_prompts_are_those_of_evaluation_with_one_bos(tmp_path: Path) -> None:
    """Though the tokenizer adds a bos to whatever it is given, as Llama's does."""
    from tokenizers.processors import TemplateProcessing
    from transformers import AutoTokenizer

    build_tokenizer(tmp_path, chat_template="{{ bos_token }}" + TEMPLATE, bos_token="<|bos|>")
    tokenizer, bos = AutoTokenizer.from_pretrained(tmp_path), SPECIAL_TOKENS.index("<|bos|>")
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|bos|> $A", special_tokens=[("<|bos|>", bos)]
    )
    tokenizer.save_pretrained(tmp_path)
    build_model(tmp_path)
    assert AutoTokenizer.from_pretrained(tmp_path)("q")["input_ids"][0] == bos

    made = trainer(tmp_path, tmp_path, STEPS["grpo"])

    asked = [runtime._prompt(tokenizer, question, "") for question in questions(ROWS)]
    expected = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in asked]
    assert made.train_dataset["prompt"][:] == expected
    assert [prompt.count(bos) for prompt in expected] == [1, 1, 1]
    assert made._tokenize_prompts(expected)[0] == expected
    assert made.eos_token_ids == [SPECIAL_TOKENS.index("<|end|>")]


@pytest.mark.parametrize("method", STEPS)
def test_answers_are_sampled_by_the_step_and_not_by_what_the_folder_says(
    model: Path, tmp_path: Path, method: str
) -> None:
    import torch

    made = trainer(model, tmp_path, replace(STEPS[method], weights=All()))
    prompts, extra = made.train_dataset["prompt"][:] * 4, [None] if method == "grpo" else []

    def sampled() -> list[list[int]]:
        torch.manual_seed(0)
        answers = made._generate_single_turn(prompts, None, {}, *extra)
        return answers[0] if method == "grpo" else answers

    as_is = sampled()
    made.model.generation_config.suppress_tokens = sorted({token for answer in as_is for token in answer[:1]})
    made.model.generation_config.min_p = 1.0

    assert len({tuple(answer) for answer in as_is}) > 1
    assert sampled() == as_is
    assert made.model.generation_config.min_p == 1.0, "as it is saved"


@pytest.mark.parametrize(
    ("changes", "rows", "message"),
    [
        ({}, ROWS[:1], "grpo: 1 prompts: want 2 or more, those of a step; add rows, or lower the batch"),
        ({"max_completion_length": 251}, ROWS,
         "grpo: prompts of up to 6 tokens and max_completion_length = 251: want at most the model's "
         "max_position_embeddings = 256 together; lower one of them, or max_length"),
        ({"rewards": {"final_number": 1.0}}, ROWS,
         "grpo.rewards.final_number: no expected answer has what it compares; mend the rows, or leave it out"),
    ],
)  # fmt: skip
def test_what_could_not_be_learned_from_is_refused(
    model: Path, tmp_path: Path, changes: dict[str, Any], rows: list[Row], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        trainer(model, tmp_path, replace(STEPS["grpo"], **changes), rows)

    assert str(caught.value) == message


def test_long_prompts_are_dropped_whatever_the_answer(model: Path, tmp_path: Path) -> None:
    long = make_row(Chat([Message("user", "q " * 9), Message("assistant", "y")]))
    short = make_row(Chat([Message("user", "q"), Message("assistant", "yes " * 99)]))

    made = trainer(model, tmp_path, replace(STEPS["grpo"], max_length=12), [*ROWS, long, short])

    kept = {json.loads(content)["messages"][0]["content"] for content in made.train_dataset["content"]}
    assert kept == {"q", "q 0", "q 1", "q 2"}


def test_equal_groups_are_counted_from_the_shares_between_two_logs() -> None:
    history = [
        {"step": 2, "frac_reward_zero_std": 0.25, "reward": 1.0},
        {"step": 3, "eval_reward": 1.0},
        {"step": 4, "frac_reward_zero_std": 1.0},
        {"step": 5, "frac_reward_zero_std": 0.5, "train_runtime": 3.0},
    ]

    assert own_answers.equal_groups(history, per_step=2) == 1 + 4 + 1
