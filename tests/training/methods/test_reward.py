"""Reward models: preferred answers score higher, the head is saved and merged, and padding changes no score."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from safetensors import safe_open

from modelmake.errors import UserError
from stages import merge, train
from stages.params.machine import Machine
from stages.params.training import Reward
from stages.params.weights import All
from stages.rows import jsonl
from stages.rows.row import Message, Pair, Row, make_row
from stages.training import reward_model, row_means
from tests.tiny_models import PLAIN_LORA, SPECIAL_TOKENS, build_model, build_tokenizer
from tests.training.test_resume import COMMON, ROOT

CPU = Machine("cpu", "float32", 1)
END = SPECIAL_TOKENS.index("<|end|>")
PARAMS = Reward(**COMMON | {"num_train_epochs": 10, "learning_rate": 1e-2}, rows="pair", weights=PLAIN_LORA)


def pair(number: int) -> Row:
    """The good answer of some is longer than the bad one, of others shorter."""
    good, bad = (f"yes {'y ' * (number % 3)}{number}", f"no {number}")
    return make_row(Pair([Message("user", f"q {number}")], [Message("assistant", good)], [Message("assistant", bad)]))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose padding token is its end token, as of many real ones."""
    folder = tmp_path_factory.mktemp("model")
    build_tokenizer(folder, pad_token="<|end|>")
    return build_model(folder)


def run(model: Path, folder: Path, params: Reward) -> dict[str, Any]:
    """Trains and merges; returns the log."""
    for name, numbers in (("train", range(12)), ("val", range(20, 25))):
        jsonl.write(folder / f"{name}.jsonl", [pair(number) for number in numbers])
    files = [folder / name for name in ("train.jsonl", "val.jsonl", "trained", "consumed.jsonl", "log.json", "work")]
    train.main(model, ROOT / params.second_model, *files, "rm", params, CPU)
    merge.main(model, folder / "trained", folder / "merged", "rm", None)
    return json.loads((folder / "log.json").read_text())


def scores(folder: Path, batch_size: int = 3) -> list[float]:
    """Of the good answers of new rows, then of the bad ones."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = reward_model.load(folder, "cpu")
    texts = [
        f"<|user|>q {number}<|end|><|assistant|>{answer}<|end|>"
        for answer in ("yes", "no") for number in range(30, 34)
    ]  # fmt: skip
    return reward_model.scores(network, tokenizer(texts, add_special_tokens=False)["input_ids"], batch_size)


@pytest.mark.parametrize("weights", [PLAIN_LORA, All()], ids=["LoRA", "all weights"])
def test_preferred_answers_score_higher_after_training_and_merging(model: Path, tmp_path: Path, weights: Any) -> None:
    log = run(model, tmp_path, replace(PARAMS, weights=weights))

    found = scores(tmp_path / "merged")
    assert all(good > bad for good, bad in zip(found[:4], found[4:], strict=True))
    assert log["history"][-1]["eval_accuracy"] == 1.0
    with safe_open(tmp_path / "merged/model.safetensors", "pt") as file:
        assert file.get_tensor("score.weight").shape == (1, 64)
        assert not [name for name in file.keys() if "lm_head" in name]
    config = json.loads((tmp_path / "merged/config.json").read_text())
    assert config["architectures"] == ["LlamaForSequenceClassification"]
    assert config["pad_token_id"] != END, "else it would have been trained on the scores before it"


def test_a_score_is_read_at_the_end_token_whatever_pads_the_batch(model: Path, tmp_path: Path) -> None:
    import torch

    run(model, tmp_path, replace(PARAMS, num_train_epochs=1))

    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "merged")
    assert tokenizer.pad_token_id == END
    network = AutoModelForSequenceClassification.from_pretrained(tmp_path / "merged")
    rows = [tokenizer(text)["input_ids"] + [END] for text in ("a", "a long one")]
    with torch.no_grad():
        hidden = [network.model(torch.tensor([row])).last_hidden_state[0, -1] for row in rows]
        expected = [network.score(state).item() for state in hidden]

    assert reward_model.scores(network, rows, batch_size=2) == pytest.approx(expected, abs=1e-5)
    assert scores(tmp_path / "merged", 8) == pytest.approx(scores(tmp_path / "merged", 1), abs=1e-5)


@pytest.mark.parametrize(
    ("last_tokens", "usual", "padding"), [({4}, 0, 0), ({4}, None, 0), ({0}, 0, 1), ({0, 1, 7}, 7, 2)]
)
def test_padding_ends_no_row(last_tokens: set[int], usual: int | None, padding: int) -> None:
    assert reward_model.padding(last_tokens, usual) == padding


def test_the_last_and_smaller_batch_counts_by_its_rows() -> None:
    metrics: dict[str, list[float]] = {}
    for accuracy, n_rows in ((1.0, 4), (0.0, 1)):
        with row_means.by_row(metrics, n_rows):
            metrics.setdefault("accuracy", []).append(accuracy)

    assert sum(metrics["accuracy"]) / len(metrics["accuracy"]) == 0.8


def test_a_reward_model_of_another_tokenizer_is_refused(model: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    run(model, tmp_path, replace(PARAMS, num_train_epochs=1))
    other = AutoTokenizer.from_pretrained(model)
    other.add_tokens(["<new>"])

    with pytest.raises(
        UserError, match=r"merged: its tokenizer has other tokens: want a reward model of the same base$"
    ):
        reward_model.check(tmp_path / "merged", other)
