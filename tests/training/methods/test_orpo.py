"""ORPO: what TRL's trainer does in silence to long prompts, end tokens and certain answers does not happen."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from stages import train
from stages.params.machine import Machine
from stages.params.training import Orpo
from stages.params.weights import All
from stages.rows import jsonl
from stages.rows.row import Message, Pair, make_row
from stages.training import kept_rows, tokens, trainers
from stages.training.methods import orpo
from stages.training.row_renderer import RowRenderer
from tests.conftest import ROOT
from tests.tiny_models import TEMPLATE, build_model, build_tokenizer
from tests.training.test_resume import COMMON

CPU = Machine("cpu", "float32", 1)
CHANGES = {
    "max_length": 40, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 1, "num_train_epochs": 20,
    "learning_rate": 1e-2, "logging_steps": 5, "eval_steps": 20,
}  # fmt: skip
PARAMS = Orpo(**{**COMMON, **CHANGES}, rows="pair", weights=All(), beta=0.5)
NEW_LINE = TEMPLATE.replace("{% endgeneration %}", "{% endgeneration %}\n")  # ends in the end token and a new line


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    build_tokenizer(folder, chat_template=NEW_LINE)
    return build_model(folder)


def pair(question: str) -> Pair:
    return Pair([Message("user", question)], [Message("assistant", "yes")], [Message("assistant", "no, not at all")])


def batch(model: Path, contents: list[Pair], folder: Path) -> tuple[Any, dict[str, Any]]:
    """The trainer, and its first batch."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = [make_row(content) for content in contents]
    encoded = list(tokens.encode(contents, tokenizer, RowRenderer(tokenizer, "answer", ["<|end|>"], [])))
    kept = kept_rows.keep(rows, encoded, PARAMS, "train.orpo")
    trainer = orpo.trainer(
        PARAMS, trainers.arguments(PARAMS, CPU, folder) | {"eval_strategy": "no"},
        model=AutoModelForCausalLM.from_pretrained(model), train_dataset=kept.dataset(orpo.example),
        processing_class=tokenizer,
    )  # fmt: skip
    return trainer, next(iter(trainer.get_train_dataloader()))


def test_a_tokenizer_without_a_padding_token_pads_with_its_end_token(tmp_path: Path) -> None:
    build_tokenizer(tmp_path, chat_template=NEW_LINE, pad_token=None)

    _, read = batch(build_model(tmp_path), [pair("q"), pair("a longer question")], tmp_path)

    padding = read["chosen_attention_mask"] == 0
    assert padding.any()
    assert (read["chosen_input_ids"][padding] == 4).all(), "<|end|>"
    assert (read["chosen_labels"][padding] == -100).all()


def test_an_answer_has_one_end_token_also_where_the_template_adds_a_new_line(model: Path, tmp_path: Path) -> None:
    trainer, read = batch(model, [pair("q"), pair("r")], tmp_path)

    end = trainer.processing_class.eos_token_id
    for side, answer in (("chosen", "yes"), ("rejected", "no, not at all")):
        for ids, labels in zip(read[f"{side}_input_ids"], read[f"{side}_labels"], strict=True):
            assert trainer.processing_class.decode(labels[labels != -100]) == f"{answer}<|end|>"
            assert ids[labels != -100].tolist().count(end) == 1


def test_the_likelihood_is_that_of_the_chosen_answers_alone(model: Path, tmp_path: Path) -> None:
    import torch

    trainer, read = batch(model, [pair("q"), pair("a longer question")], tmp_path)
    network = trainer.model.eval()

    *_, nll = trainer.concatenated_forward(network, read)

    expected = network(
        input_ids=read["chosen_input_ids"], attention_mask=read["chosen_attention_mask"], labels=read["chosen_labels"]
    ).loss
    torch.testing.assert_close(nll, expected)


def test_the_odds_of_a_certain_answer_have_a_finite_gradient(model: Path, tmp_path: Path) -> None:
    import torch

    trainer, _ = batch(model, [pair("q"), pair("r")], tmp_path)
    chosen, rejected = torch.tensor([0.0, -0.5], requires_grad=True), torch.tensor([-1.0, 0.0], requires_grad=True)

    losses, *_ = trainer.odds_ratio_loss(chosen, rejected)
    losses.sum().backward()

    assert torch.isfinite(losses).all() and torch.isfinite(chosen.grad).all() and torch.isfinite(rejected.grad).all()


def test_a_prompt_that_fills_max_length_is_dropped_by_name_and_the_weights_stay_numbers(
    model: Path, tmp_path: Path
) -> None:
    from safetensors.numpy import load_file

    rows = [make_row(pair(f"q {number}")) for number in range(5)]
    long = make_row(pair("word " * 50))
    jsonl.write(tmp_path / "train.jsonl", [*rows, long])
    jsonl.write(tmp_path / "val.jsonl", rows[:2])
    files = [tmp_path / name for name in ("train.jsonl", "val.jsonl", "trained", "consumed.jsonl", "log.json", "work")]

    train.main(model, ROOT / PARAMS.second_model, *files, "orpo", PARAMS, CPU)

    log = json.loads((tmp_path / "log.json").read_text())
    assert (log["in"], log["out"], log["dropped"], log["over_long"]) == (6, 5, {"over_long": 1}, [long.id])
    weights = load_file(tmp_path / "trained/model.safetensors").values()
    assert all(abs(values).max() < 100 for values in weights)
    history = [entry for entry in log["history"] if "loss" in entry]
    assert history[-1]["rewards/margins"] > history[0]["rewards/margins"] > -1
    assert history[-1]["loss"] < history[0]["loss"]
    assert PARAMS.EVALUATED.keys() <= {name for entry in log["history"] for name in entry}
    consumed = [json.loads(line)["ids"] for line in (tmp_path / "consumed.jsonl").read_text().splitlines()]
    assert sorted(id for ids in consumed[:3] for id in ids) == sorted(row.id for row in rows)


def test_a_dropout_that_is_declared_is_applied(model: Path, tmp_path: Path) -> None:
    from tests.training.test_resume import LORA

    params = replace(PARAMS, weights=LORA, num_train_epochs=1)
    for name in ("train", "val"):
        jsonl.write(tmp_path / f"{name}.jsonl", [make_row(pair(f"q {number}")) for number in range(4)])
    losses = []
    for way in (params, replace(params, weights=replace(LORA, lora_dropout=0.0))):
        folder = tmp_path / str(len(losses))
        folder.mkdir()
        files = [tmp_path / "train.jsonl", tmp_path / "val.jsonl"]
        outputs = [folder / name for name in ("trained", "consumed.jsonl", "log.json", "work")]
        train.main(model, ROOT / PARAMS.second_model, *files, *outputs, "orpo", replace(way, eval_steps=2), CPU)
        history = json.loads((folder / "log.json").read_text())["history"]
        losses.append([entry["eval_loss"] for entry in history if "eval_loss" in entry][-1])
    assert losses[0] != losses[1]
