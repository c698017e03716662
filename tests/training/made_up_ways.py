"""Every way to choose weights, and short trainings of them."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from modelmake import params
from stages import train
from stages.params.machine import Machine
from stages.params.training import Sft
from stages.params.weights import AdaLora, Half, Layers, Weights
from stages.rows import jsonl
from stages.rows.row import Chat, Message, make_row
from stages.training import resume
from tests.tiny_models import PLAIN_LORA

ROOT = Path(__file__).parents[2]
LORA = replace(PLAIN_LORA, lora_dropout=0.2)
ADALORA = AdaLora(
    init_r=6, target_r=3, lora_alpha=8, lora_dropout=0.2, target_modules="all-linear", tinit=1, tfinal=2, deltaT=2,
    beta1=0.85, beta2=0.85, orth_reg_weight=0.5,
)  # fmt: skip
ADAPTERS: dict[str, Weights] = {
    "DoRA": replace(LORA, use_dora=True),
    "rsLoRA": replace(LORA, use_rslora=True),
    "LoRA, gaussian": replace(LORA, init_lora_weights="gaussian"),
    "LoRA, orthogonal": replace(LORA, init_lora_weights="orthogonal"),
    "PiSSA": replace(LORA, init_lora_weights="pissa"),
    "PiSSA as rsLoRA": replace(LORA, init_lora_weights="pissa", use_rslora=True),
    "OLoRA": replace(LORA, init_lora_weights="olora"),
    "LoRA+": replace(LORA, loraplus_lr_ratio=16.0),
    "LoRA of a layer": replace(LORA, target_modules=["q_proj", "down_proj"], layers_to_transform=[1]),
    "LoRA and the embedding": replace(LORA, modules_to_save=["embed_tokens"]),
    "LoRA and the output": replace(LORA, modules_to_save=["lm_head", "model.norm"]),
    "LoRA and tokens": replace(LORA, trainable_token_indices=[2, 3, 4]),
    "AdaLoRA": ADALORA,
}
WAYS: dict[str, Weights] = {**ADAPTERS, "layers": Layers(["*.layers.1.*"]), "half": Half(rotate_steps=2)}


def rows_of_chats(folder: Path) -> list[Path]:
    """Files of 20 and 4 rows."""
    rows = [
        make_row(Chat([Message("user", "word " * (n % 5 + 1) + str(n)), Message("assistant", f"answer {n}")]))
        for n in range(24)
    ]
    jsonl.write(folder / "train.jsonl", rows[:20])
    jsonl.write(folder / "val.jsonl", rows[20:])
    return [folder / "train.jsonl", folder / "val.jsonl"]


def step(weights: Weights, **changes: Any) -> Sft:
    """The default's step, small: 15 updates."""
    default = params.section(params.load(ROOT / "recipes/default.yaml"), "train.sft", Sft, "default")
    small = {
        "seed": 1, "weights": weights, "max_length": 64, "assistant_only_loss": False, "num_train_epochs": 3,
        "per_device_train_batch_size": 4, "learning_rate": 1e-2, "lr_scheduler_type": "constant", "warmup_steps": 0,
        "weight_decay": 0.01, "logging_steps": 2, "eval_steps": 100,
    }  # fmt: skip
    return replace(default, **(small | changes))


def train_step(model: Path, folder: Path, chosen: Any) -> Any:
    """Trains into folder/trained; returns the trainer, whose model is as the last update left it."""
    folder.mkdir(exist_ok=True)
    (folder / "checkpoints").mkdir()
    outputs = [folder / name for name in ("trained", "consumed.jsonl", "log.json", "checkpoints")]
    trainers: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        run = resume.train
        patch.setattr(resume, "train", lambda trainer: (trainers.append(trainer), run(trainer)))
        train.main(
            model, ROOT / chosen.second_model, *rows_of_chats(folder), *outputs, "step", chosen,
            Machine("cpu", "float32", 1),
        )  # fmt: skip
    return trainers[0]


def logits(network: Any) -> Any:
    """What a model computes of tokens from all over the vocabulary, those of ADAPTERS among them."""
    import torch

    network.eval()
    with torch.no_grad():
        return network(input_ids=torch.arange(380).reshape(4, 95)).logits


def distance(found: Any, expected: Any) -> float:
    """How far logits are from expected ones, relative to their norm."""
    return ((found - expected).norm() / expected.norm()).item()
