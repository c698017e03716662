"""DPO: the loss is TRL's, of a reference that is computed once and is the model that the step starts from."""

import importlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stages.commands import init
from stages.params.machine import Machine
from stages.params.training import Dpo, Step
from stages.rows.row import Message, Pair, make_row
from stages.training import kept_rows, tokens, trainers
from stages.training.methods import dpo
from stages.training.row_renderer import RowRenderer
from tests.tiny_models import PLAIN_LORA, build_model

ROOT = Path(__file__).parents[3]
CPU = Machine("cpu", "float32", 1)
LORA = {"kind": "lora", **msgspec.structs.asdict(PLAIN_LORA)}
LOSSES = [(["sigmoid"], [1.0]), (["sigmoid", "sft"], [0.5, 2.0]), (["hinge", "ipo", "robust"], [1.0, 0.1, 3.0])]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


def step(loss_type: list[str], loss_weights: list[float], weights: dict[str, Any]) -> Dpo:
    values = init.values(ROOT / "recipes/default.yaml", ROOT / "recipes/default.yaml")["train"]["dpo"]
    changes = {"loss_type": loss_type, "loss_weights": loss_weights, "weights": weights}
    return msgspec.convert({**values, "per_device_train_batch_size": 3, "max_length": 64, **changes}, Step)


def parts(model: Path, params: Dpo) -> dict[str, Any]:
    """What the trainer is made of, for seven pairs of several lengths."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = [
        make_row(
            Pair(
                [Message("user", "why " * (1 + number * 5 % 7))],
                [Message("assistant", "because " * (1 + number % 3))],
                [Message("assistant", f"no {number}")],
            )
        )
        for number in range(7)
    ]
    renderer = RowRenderer(tokenizer, dpo.loss(params), ["<|end|>"], [])
    encoded = list(tokens.encode([row.content for row in rows], tokenizer, renderer))
    network, peft_config = importlib.import_module(params.weights.modules()[0]).load(model, params, CPU)
    return {
        "model": network,
        "processing_class": tokenizer,
        "peft_config": peft_config,
        "train_dataset": kept_rows.keep(rows, encoded, params, "train.dpo").dataset(dpo.example),
    }


def loss(trainer: Any, change: float = 0.0) -> float:
    """The trainer's loss of all rows as one batch, after the trained weights moved by `change`."""
    import torch

    with torch.no_grad():
        for weights in trainer.model.parameters():
            if weights.requires_grad:
                weights += change
        batch = trainer.data_collator(list(trainer.train_dataset))
        batch.pop("row", None)
        return trainer.compute_loss(trainer.model, batch).item()


@pytest.mark.parametrize("weights", [LORA, {"kind": "all"}], ids=["LoRA", "all weights"])
@pytest.mark.parametrize("loss_type, loss_weights", LOSSES)
def test_the_loss_is_that_of_trl_which_computes_the_reference_each_time(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss_type: list[str], loss_weights: list[float],
    weights: dict[str, Any],
) -> None:  # fmt: skip
    from trl import DPOConfig, DPOTrainer
    from trl.kernels import ChunkedLogProbFunction
    from trl.trainer import utils

    params = step(loss_type, loss_weights, weights)
    arguments = trainers.arguments(params, CPU, tmp_path) | {"eval_strategy": "no"}
    found = loss(dpo.trainer(params, arguments, **parts(model, params)), change=0.003)

    monkeypatch.setattr(utils, "_ChunkedLogProbFunction", ChunkedLogProbFunction)
    monkeypatch.setattr(utils, "_use_triton", lambda device: False)
    monkeypatch.setattr(DPOTrainer, "_prepare_dataset", lambda self, dataset, *_: dataset)
    config = DPOConfig(**arguments, beta=params.beta, loss_type=loss_type, loss_weights=loss_weights)
    theirs = DPOTrainer(args=config, **parts(model, params))

    assert not theirs.precompute_ref_logps
    assert found == pytest.approx(loss(theirs, change=0.003), rel=1e-5)


@pytest.mark.parametrize("start", [True, "pissa", "olora"])
def test_nothing_differs_from_the_reference_at_the_start(model: Path, tmp_path: Path, start: bool | str) -> None:
    """TRL's reference is the model without its adapter: of PiSSA and OLoRA, a base from which their start was taken."""
    params = step(["sigmoid"], [1.0], {**LORA, "init_lora_weights": start})
    arguments = trainers.arguments(params, CPU, tmp_path) | {"eval_strategy": "no"}

    assert loss(dpo.trainer(params, arguments, **parts(model, params))) == pytest.approx(0.693147, abs=1e-5)


def test_no_second_model_is_held_for_the_reference(model: Path, tmp_path: Path) -> None:
    params = step(["sigmoid"], [1.0], {"kind": "all"})
    arguments = trainers.arguments(params, CPU, tmp_path) | {"eval_strategy": "no"}

    assert dpo.trainer(params, arguments, **parts(model, params)).ref_model is None


def test_rows_of_like_length_are_trained_together(model: Path, tmp_path: Path) -> None:
    """A batch of the whole set would else have them in the order of their ids."""
    params = step(["sigmoid"], [1.0], LORA)
    trainer = dpo.trainer(
        params, trainers.arguments(params, CPU, tmp_path) | {"eval_strategy": "no"}, **parts(model, params)
    )
    lengths = [trainer.train_dataset["length"][row] for row in trainer._get_train_sampler()]

    # by the sampler of transformers: sorted from long to short in each stretch of batches
    assert sorted(lengths) == sorted(trainer.train_dataset["length"])
    assert lengths[:3] == sorted(lengths[:3], reverse=True)
