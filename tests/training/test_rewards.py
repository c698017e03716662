"""Rewards: an answer is worth what the metrics of evaluation say of it, more where they are better."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import msgspec
import pytest

from modelmake.errors import UserError
from modelmake.keys import stage_key
from stages.answers.decoder import Decoder
from stages.evaluating.metrics import Metric
from stages.params.evaluation import OF_SUITES, AnswerMetric, Suite
from stages.rows.row import Chat, Function, Message, ToolCall, make_row
from stages.training import reward_model, rewards
from tests.conftest import ROOT
from tests.tiny_models import SPECIAL_TOKENS, build_tokenizer

END = SPECIAL_TOKENS.index("<|end|>")
SCHEMA = {"type": "object", "properties": {"product": {}, "urgency": {}}, "required": ["intent"]}
WEATHER = Message("assistant", "", [ToolCall(Function("weather", {"city": "Rome"}), "function")])
WRITTEN = '<tool_call>{"name": "weather", "arguments": {"city": "%s"}}</tool_call>'


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    build_tokenizer(folder)
    return AutoTokenizer.from_pretrained(folder)


def suite(*names: str) -> Suite:
    return Suite(list(names), "intent", ["product", "urgency"], SCHEMA)


def worth(tokenizer: Any, metric: str, expected: str | Message, *answers: str) -> list[float]:
    """Rewards of answers by one metric."""
    turn = expected if isinstance(expected, Message) else Message("assistant", expected)
    content = msgspec.json.encode(Chat([Message("user", "q"), turn])).decode()
    [function] = rewards.functions(suite(metric), Decoder(tokenizer, {END})).values()
    ids = [tokenizer(answer, add_special_tokens=False)["input_ids"] + [END] for answer in answers]
    return function(completion_ids=ids, content=[content] * len(ids), prompts=ids, trainer_state=None)


@pytest.mark.parametrize(
    ("metric", "expected", "answers", "values"),
    [
        ("exact_match", '{"a": 1}', ['{"a":1}', '{"a":2}', "<|bos|>{\"a\":1}"], [1, 0, 1]),
        ("valid_json", "{}", ["{}", "{"], [1, 0]),
        ("schema", "{}", ['{"intent":1}', "{}"], [1, 0]),
        ("label_accuracy", '{"intent":"a"}', ['{"intent":"a"}', '{"intent":"b"}'], [1, 0]),
        ("final_number", "#### 42", ["so #### 42.0", "42"], [1, 0]),
        ("compact", "{}", ['{"a":1}', '{"a": 1}'], [1, 0]),
        # one of two slots right; one right, and the one that nobody expects is not given; it is given
        ("slot_f1", '{"product":1,"urgency":2}', ['{"product":1,"urgency":3}'], [0.5]),
        ("slot_f1", '{"product":1}', ['{"product":1}', '{"product":1,"urgency":3}'], [1, 0.5]),
        # the call, its name, its arguments
        ("tool_call", WEATHER, [WRITTEN % "Rome", WRITTEN % "Oslo", "sunny"], [1, 1 / 3, 0]),
        ("tool_call", "sunny", ["rain", WRITTEN % "Rome"], [1, 0]),
    ],
)  # fmt: skip
def test_an_answer_is_worth_the_mean_of_a_metrics_scores(
    tokenizer: Any, metric: str, expected: str | Message, answers: list[str], values: list[float]
) -> None:
    assert worth(tokenizer, metric, expected, *answers) == pytest.approx(values)


def test_less_is_worth_more_where_lower_is_better(tokenizer: Any) -> None:
    content = msgspec.json.encode(Chat([Message("user", "q"), Message("assistant", "yes")])).decode()
    errors = SimpleNamespace(
        METRIC=Metric("lower", 0, 1, ""),
        score=lambda expected, answer, _: {"errors": (float(expected.text != answer.text), 1.0), "none": (0.0, 0.0)},
    )
    reward = rewards.of_metric(errors, suite(), Decoder(tokenizer, {END}))

    ids = [tokenizer(answer)["input_ids"] for answer in ("yes", "no")]
    assert reward(completion_ids=ids, content=[content] * 2) == [0.0, -0.5]


def test_every_metric_of_one_answer_can_be_a_reward_and_finds_the_expected_answer_best(tokenizer: Any) -> None:
    """chrF is of 0 to 100; length is the one that another answer can better; an allowed prompt is answered."""
    expected = '{"intent":"a","product":1,"urgency":2,"n":"#### 1"}'
    of_expected = dict.fromkeys(get_args(AnswerMetric), 1.0)
    of_expected |= {"chrf": 100.0, "length": -len(expected), "pass_at_1": 0.0}  # there are no tests
    of_expected |= dict.fromkeys(("refused_allowed", "pii_leaked", "repetition"), 0.0)

    for name in get_args(AnswerMetric):
        if name not in OF_SUITES:
            assert worth(tokenizer, name, expected, expected) == [of_expected[name]], name


def test_another_metric_trains_nothing_anew_that_has_no_use_for_it() -> None:
    """Only preflight knows which rewards there are."""
    chosen = ["stages.training.methods.sft", "stages.training.weights.lora"]
    reached = stage_key.compute(ROOT, "stages.train", chosen)["symbols"]

    assert "stages.params.training" in reached
    assert not [name for name in reached if name.startswith(("stages.evaluating", "stages.params.evaluation"))]


def test_expected_answers_without_what_is_compared_are_counted_and_refused_if_all_are_such() -> None:
    contents = [
        Chat([Message("user", "q"), answer])
        for answer in (Message("assistant", "#### 1"), Message("assistant", "one"), WEATHER)
    ]

    assert rewards.unusable(contents, suite("final_number", "valid_json"), "grpo") == {"final_number": 1}
    with pytest.raises(UserError, match=r"^grpo.rewards.final_number: no expected answer has what it compares; mend"):
        rewards.unusable(contents[1:], suite("final_number"), "grpo")


def test_the_folder_of_a_language_model_gives_no_rewards(tmp_path: Path, tokenizer: Any) -> None:
    from tests.tiny_models import build_model

    folder = build_model(tmp_path)
    with pytest.raises(UserError, match=r": LlamaForCausalLM with 2 labels: want a reward model, one score; train it"):
        reward_model.check(folder, tokenizer)


def test_a_score_that_is_no_number_names_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """TRL would leave the answer out of its group in silence."""
    chat = Chat([Message("user", "q"), Message("assistant", "a")])
    monkeypatch.setattr(reward_model, "load", lambda *_: None)
    monkeypatch.setattr(reward_model, "scores", lambda *_: [0.5, float("nan")])
    reward = rewards.of_model(Path("models/rm"), "cpu", 2)

    with pytest.raises(UserError, match=f"^models/rm: scores an answer to row {make_row(chat).id} with nan: want a"):
        reward(prompts=[[1]] * 2, completion_ids=[[2]] * 2, content=[msgspec.json.encode(chat).decode()] * 2)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_reward_model_scores_in_the_dtype_that_it_stores(tmp_path: Path, dtype: str) -> None:
    import torch

    from tests.tiny_models import build_model, build_reward_model

    start = build_model(tmp_path / "start", dtype=dtype)
    folder = build_reward_model(tmp_path / "rm", start)

    network = reward_model.load(folder, "cpu")

    assert {parameter.dtype for parameter in network.parameters()} == {getattr(torch, dtype)}
