"""Distillation: the loss is what a hand computes, a student comes near its teacher, and both read the same tokens."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from modelmake.errors import UserError
from stages import train
from stages.params.machine import Machine
from stages.params.training import Distill
from stages.params.weights import All
from stages.rows import jsonl
from stages.rows.row import Chat, Message, make_row
from stages.training import kept_rows, tokens, trainers
from stages.training.given import Given
from stages.training.methods import distill
from stages.training.row_renderer import RowRenderer
from tests.tiny_models import TEMPLATE, build_model, build_tokenizer
from tests.training.test_resume import COMMON

CPU = Machine("cpu", "float32", 1)
CHANGES = {
    "second_model": "teacher", "per_device_train_batch_size": 4, "gradient_accumulation_steps": 1,
    "num_train_epochs": 20, "learning_rate": 3e-3, "logging_steps": 5, "eval_steps": 10,
}  # fmt: skip
PARAMS = Distill(
    **{**COMMON, **CHANGES}, rows="chat", weights=All(), assistant_only_loss=True, beta=0.0, temperature=1.0, alpha=1.0
)
CHATS = [Chat([Message("user", f"q {n}"), Message("assistant", f"answer {n}")]) for n in range(8)]


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("student"), hidden_size=32, num_hidden_layers=1)


@pytest.fixture(scope="module")
def teacher(student: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wider model, whose vocabulary is padded to 400 tokens; the student's to 384."""
    folder = tmp_path_factory.mktemp("teacher")
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(student / name, folder / name)
    return build_model(folder, vocab_size=400)


def trainer(student: Path, teacher: Path, folder: Path, params: Distill = PARAMS) -> Any:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(student)
    encoded = list(tokens.encode(CHATS, tokenizer, RowRenderer(tokenizer, "assistant", ["<|end|>"], [])))
    kept = kept_rows.keep([make_row(chat) for chat in CHATS], encoded, params, "train.distill")
    distill.check(Given(student, teacher, tokenizer, kept, kept_rows.keep([], [], params, "train.distill")), params)
    return distill.trainer(
        params, trainers.arguments(params, CPU, folder) | {"eval_strategy": "no"},
        model=AutoModelForCausalLM.from_pretrained(student), second_model=teacher, processing_class=tokenizer,
        train_dataset=kept.dataset(distill.example),
    )  # fmt: skip


class Says:
    """A model that says the same logits at every place that is asked for."""

    def __init__(self, logits: list[float]) -> None:
        self.logits = logits

    def __call__(self, input_ids: Any, logits_to_keep: Any, **_: Any) -> Any:
        import torch
        from transformers.modeling_outputs import CausalLMOutput

        return CausalLMOutput(logits=torch.tensor(self.logits).expand(len(input_ids), len(logits_to_keep), -1))


STUDENT, TEACHER = [0.5, 0.25, 0.25], [0.25, 0.25, 0.5]  # what they say of three tokens
FORWARD = 0.25 * math.log(0.25 / 0.5) + 0.5 * math.log(0.5 / 0.25)
REVERSE = 0.5 * math.log(0.5 / 0.25) + 0.25 * math.log(0.25 / 0.5)
MIDDLE = [0.375, 0.25, 0.375]
JSD = sum(
    0.5 * p * math.log(p / m) for said in (STUDENT, TEACHER) for p, m in zip(said, MIDDLE, strict=True)
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"beta": 0.0}, FORWARD),
        ({"beta": 1.0}, REVERSE),
        ({"beta": 0.5}, JSD),
        ({"alpha": 0.25}, 0.25 * FORWARD + 0.75 * (math.log(2) + 2 * math.log(4)) / 3),  # token 0, token 1 twice
        ({"temperature": 2.0}, None),
    ],
)
def test_the_loss_of_three_tokens_is_the_one_computed_by_hand(
    changes: dict[str, float], expected: float | None, student: Path, teacher: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    import torch
    from transformers import AutoModelForCausalLM

    class Loaded(Says):
        def eval(self) -> "Loaded":
            return self

    made = AutoModelForCausalLM.from_pretrained
    says = Loaded([math.log(p) for p in TEACHER])
    monkeypatch.setattr(
        AutoModelForCausalLM, "from_pretrained", lambda f, **k: says if Path(f) == teacher else made(f, **k)
    )
    distilling = trainer(student, teacher, tmp_path, replace(PARAMS, **changes))
    batch = {
        "input_ids": torch.tensor([[2, 2, 0, 1]] * 2), "attention_mask": torch.ones(2, 4, dtype=torch.long),
        "labels": torch.tensor([[-100, -100, 0, 1], [-100, -100, -100, 1]]),
    }  # fmt: skip
    if expected is None:  # by roots of the probabilities: softmax(log p / 2)
        said, taught = ([p**0.5 / sum(q**0.5 for q in row) for p in row] for row in (STUDENT, TEACHER))
        expected = sum(t * math.log(t / s) for s, t in zip(said, taught, strict=True))

    loss = distilling.compute_loss(Says([math.log(p) for p in STUDENT]), batch)

    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_a_student_comes_near_its_teacher(student: Path, teacher: Path, tmp_path: Path) -> None:
    rows = [make_row(chat) for chat in CHATS]
    for name in ("train", "val"):
        jsonl.write(tmp_path / f"{name}.jsonl", rows)
    files = [tmp_path / name for name in ("train.jsonl", "val.jsonl", "trained", "consumed.jsonl", "log.json", "work")]

    train.main(student, teacher, *files, "distill", PARAMS, CPU)

    history = json.loads((tmp_path / "log.json").read_text())["history"]
    divergences = [entry["divergence"] for entry in history if "divergence" in entry]
    assert divergences[-1] < 0.5 * divergences[0]
    held_out = [entry["eval_divergence"] for entry in history if "eval_divergence" in entry]
    assert 0 < held_out[-1] < held_out[0]
    assert PARAMS.EVALUATED.keys() <= {name for entry in history for name in entry}
    assert {file.name for file in (tmp_path / "trained").iterdir()} >= {"model.safetensors", "tokenizer.json"}


def test_a_teacher_with_another_vocabulary_is_refused(student: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    build_tokenizer(other, "qwen2")
    state = json.loads((other / "tokenizer.json").read_text())
    vocab = state["model"]["vocab"]
    vocab["a"], vocab["b"] = vocab["b"], vocab["a"]
    (other / "tokenizer.json").write_text(json.dumps(state))
    build_model(other)

    with pytest.raises(
        UserError, match=r"^second_model = '.*other': \d+ tokens have another id than the student's, fi"
    ):
        trainer(student, other, tmp_path)


def test_a_teacher_with_another_template_is_refused(student: Path, teacher: Path, tmp_path: Path) -> None:
    other = shutil.copytree(teacher, tmp_path / "other")
    (other / "chat_template.jinja").write_text(TEMPLATE.replace("<|{{ m.role }}|>", "<|system|>", 1))

    with pytest.raises(
        UserError, match=r"its chat template writes '<\|system\|>.*' where the student's writes '<\|user"
    ):
        trainer(student, other, tmp_path)
