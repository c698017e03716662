"""KTO: the trainer reads what TRL would make of the rows itself, learns from both judgements, and wants both."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from modelmake.errors import UserError
from stages import train
from stages.params.machine import Machine
from stages.params.training import Kto
from stages.rows import jsonl
from stages.rows.row import Judged, Message, Pair, make_row
from stages.training import kept_rows, labelled_logits, tokens, trainers
from stages.training.given import Given
from stages.training.methods import kto
from stages.training.row_renderer import RowRenderer
from stages.training.weights import lora
from tests.tiny_models import PLAIN_LORA, build_model

NO_MODEL = Path(__file__).parents[3] / "recipes/no_model.json"
CPU = Machine("cpu", "float32", 1)
PARAMS = Kto(
    from_="base", second_model="recipes/no_model.json", rows="judged", seed=1,
    quantization=None, max_length=64, over_long="drop", omit=[],
    weights=replace(PLAIN_LORA, r=8, lora_alpha=16),
    num_train_epochs=10, per_device_train_batch_size=4, gradient_accumulation_steps=1, gradient_checkpointing=False,
    attn_implementation=None, processes=1, sharding=None, learning_rate=1e-2, optim="adamw_torch_fused",
    lr_scheduler_type="constant", lr_scheduler_kwargs={}, warmup_steps=0,
    weight_decay=0.0, max_grad_norm=1.0,
    logging_steps=5, eval_steps=100, best=None, stop_on=[], beta=0.5, desirable_weight=1.0, undesirable_weight=2.0,
)  # fmt: skip

READ = tokens.Encoded([tokens.Tokens([1, 2], [(1, 2)], 1)], [], set(), False)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


def judged(number: int, good: bool) -> Judged:
    answer = f"yes {number}" if good else f"no {number}, not at all"
    return Judged([Message("system", "s"), Message("user", f"q {number}")], [Message("assistant", answer)], good)


def test_each_prompt_of_a_batch_meets_the_answer_of_the_one_before() -> None:
    assert kto.mismatched([[1], [2], [3], [4], [5]], 3) == [[3], [1], [2], [5], [4]]


def test_no_answer_is_its_own_mismatch_though_it_is_alone_in_the_last_batch() -> None:
    assert kto.mismatched([[1], [2], [3], [4], [5]], 4) == [[4], [1], [2], [3], [4]]


def test_a_pair_is_a_good_and_a_bad_answer_that_do_not_meet_in_a_batch() -> None:
    from datasets import Dataset

    pairs = [{"prompt_ids": [n], "completion_ids": [10 + n], "rejected_ids": [20 + n], "row": n} for n in range(3)]
    rows = kto.unpaired(Dataset.from_list(pairs))
    assert list(rows["row"]) == [0, 1, 2, 0, 1, 2]
    assert list(rows["prompt_ids"]) == [[0], [1], [2], [0], [1], [2]]
    assert list(rows["completion_ids"]) == [[10], [21], [12], [20], [11], [22]]
    assert list(rows["label"]) == [True, False, True, False, True, False]


def test_the_trainer_reads_what_trl_would_make_of_the_rows(model: Path, tmp_path: Path) -> None:
    from datasets import Dataset
    from transformers import AutoTokenizer
    from trl import KTOConfig, KTOTrainer

    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = [make_row(judged(number, number % 3 == 0)) for number in range(7)]
    encoded = list(
        tokens.encode([r.content for r in rows], tokenizer, RowRenderer(tokenizer, "answer", ["<|end|>"], []))
    )
    kept = kept_rows.keep(rows, encoded, PARAMS, "train.kto")
    arguments = trainers.arguments(PARAMS, CPU, tmp_path) | {"eval_strategy": "no"}

    def network():
        return lora.load(model, PARAMS, CPU)[0]

    ours = kto.trainer(
        PARAMS, arguments, model=network(), processing_class=tokenizer,
        train_dataset=kept.dataset(kto.example),
    ).train_dataset  # fmt: skip
    messages = [
        {
            "prompt": [{"role": m.role, "content": m.content} for m in row.content.prompt],
            "completion": [{"role": m.role, "content": m.content} for m in row.content.answer],
            "label": row.content.good,
        }
        for row in rows
    ]
    theirs = KTOTrainer(
        model=network(), processing_class=tokenizer, train_dataset=Dataset.from_list(messages),
        args=KTOConfig(**arguments, max_length=64),
    ).train_dataset  # fmt: skip

    for column in ("prompt_ids", "completion_ids", "KL_completion_ids", "label"):
        assert ours[column][:] == theirs[column][:], column
    assert ours["row"][:] == list(range(7))


def test_good_answers_become_likelier_than_bad_ones_and_rows_are_recorded(model: Path, tmp_path: Path) -> None:
    rows = [make_row(judged(number, number % 2 == 0)) for number in range(8)]
    for name in ("train", "val"):
        jsonl.write(tmp_path / f"{name}.jsonl", rows)
    files = [tmp_path / name for name in ("train.jsonl", "val.jsonl", "trained", "consumed.jsonl", "log.json", "work")]

    train.main(model, NO_MODEL, *files, "kto", PARAMS, CPU)

    history = [entry for entry in json.loads((tmp_path / "log.json").read_text())["history"] if "loss" in entry]
    assert history[-1]["rewards/chosen"] > 0 > history[-1]["rewards/rejected"]
    batches = [json.loads(line)["ids"] for line in (tmp_path / "consumed.jsonl").read_text().splitlines()]
    ids = sorted(row.id for row in rows)  # the order of the file
    assert batches == [ids[:4], ids[4:]] * 10
    assert (tmp_path / "trained/adapter_model.safetensors").exists()


def test_of_pairs_the_chosen_answer_becomes_likelier_and_each_is_consumed_twice_an_epoch(
    model: Path, tmp_path: Path
) -> None:
    rows = [
        make_row(Pair([Message("user", f"q {n}")], [Message("assistant", f"yes {n}")], [Message("assistant", "no")]))
        for n in range(4)
    ]
    for name in ("train", "val"):
        jsonl.write(tmp_path / f"{name}.jsonl", rows)
    files = [tmp_path / name for name in ("train.jsonl", "val.jsonl", "trained", "consumed.jsonl", "log.json", "work")]

    train.main(model, NO_MODEL, *files, "kto", replace(PARAMS, rows="pair"), CPU)

    log = json.loads((tmp_path / "log.json").read_text())
    history = [entry for entry in log["history"] if "loss" in entry]
    assert history[-1]["rewards/chosen"] > 0 > history[-1]["rewards/rejected"]
    assert (log["in"], log["out"], log["steps"]) == (4, 4, 20)
    batches = [json.loads(line)["ids"] for line in (tmp_path / "consumed.jsonl").read_text().splitlines()]
    ids = sorted(row.id for row in rows)
    assert [sorted(batch) for batch in batches] == [ids, ids] * 10


@pytest.mark.parametrize("good", [True, False])
def test_answers_of_one_judgement_teach_nothing(good: bool) -> None:
    kept = kept_rows.keep([make_row(judged(number, good)) for number in range(2)], [READ] * 2, PARAMS, "train.kto")
    with pytest.raises(UserError, match=r"^KTO: [02] good and [02] bad answers to train on: want some of both"):
        kto.check(Given(Path(), Path(), None, kept, kept), PARAMS)


def made_trainer(model: Path, folder: Path, adapter: bool) -> Any:
    """A trainer of four rows."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = [make_row(judged(number, number % 2 == 0)) for number in range(4)]
    encoded = list(
        tokens.encode([r.content for r in rows], tokenizer, RowRenderer(tokenizer, "answer", ["<|end|>"], []))
    )
    kept = kept_rows.keep(rows, encoded, PARAMS, "train.kto")
    return kto.trainer(
        PARAMS, trainers.arguments(PARAMS, CPU, folder) | {"eval_strategy": "no"}, processing_class=tokenizer,
        train_dataset=kept.dataset(kto.example),
        **({"model": (loaded := lora.load(model, PARAMS, CPU))[0], "peft_config": loaded[1]} if adapter else
           {"model": AutoModelForCausalLM.from_pretrained(model)}),
    )  # fmt: skip


@pytest.mark.parametrize("adapter", [True, False])
@pytest.mark.parametrize("training", [True, False], ids=["the model", "its reference"])
def test_a_row_without_a_likelihood_leaves_no_finite_loss(
    model: Path, tmp_path: Path, adapter: bool, training: bool
) -> None:
    """TRL's mean would leave it out; the watch of the loss then names the rows of the step."""
    import torch

    made = made_trainer(model, tmp_path, adapter)
    batch = made._prepare_inputs(next(iter(made.get_train_dataloader())))
    made.model.train()
    assert torch.isfinite(made.compute_loss(made.model, dict(batch)))
    spoilt = made.ref_model if made.ref_model and not training else made.model
    inner = spoilt.get_base_model() if adapter else spoilt
    forward, calls = inner.forward, []
    time = (
        4 if adapter and not training else 2
    )  # each is asked for mismatched answers first; TRL's mean of these is NaN

    def spoiling(*args: Any, **kwargs: Any) -> Any:
        outputs = forward(*args, **kwargs)
        calls.append(1)
        if len(calls) == time:
            outputs.log_probs = outputs.log_probs * torch.tensor([[float("nan")], [1.0], [1.0], [1.0]])
        return outputs

    inner.forward = spoiling

    assert torch.isnan(made.compute_loss(made.model, dict(batch)))
    assert len(calls) == (4 if adapter else 2)


def test_logits_of_the_answers_alone_give_the_loss_of_all_logits(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from trl.kernels import ChunkedLogProbFunction
    from trl.trainer import utils

    made = made_trainer(model, tmp_path, adapter=True)
    batch = made._prepare_inputs(next(iter(made.get_train_dataloader())))
    made.model.train()

    def outcome() -> tuple[Any, Any]:
        made.model.zero_grad()
        loss = made.compute_loss(made.model, dict(batch))
        loss.backward()
        return loss.detach(), [p.grad.clone() for p in made.model.parameters() if p.grad is not None]

    assert utils._ChunkedLogProbFunction is labelled_logits.LabelledLogProbs
    loss, gradients = outcome()
    monkeypatch.setattr(utils, "_ChunkedLogProbFunction", ChunkedLogProbFunction)
    monkeypatch.setattr(utils, "_use_triton", lambda device: False)
    expected, expected_gradients = outcome()

    assert torch.allclose(loss, expected, atol=1e-6)
    assert max(g.abs().max() for g in gradients) > 0
    assert all(torch.allclose(*pair, atol=1e-6) for pair in zip(gradients, expected_gradients, strict=True))


def test_answers_of_pairs_are_counted_as_both(capsys: pytest.CaptureFixture[str]) -> None:
    yes, no = (Message("assistant", text) for text in ("yes", "no"))
    rows = [make_row(judged(0, True)), make_row(Pair([Message("user", "q")], [yes], [no]))]
    kept = kept_rows.keep(rows, [READ] * 2, PARAMS, "train.kto")

    kto.check(Given(Path(), Path(), None, kept, kept), PARAMS)

    assert capsys.readouterr().out.startswith("  2 good and 1 bad answers: weighted ")
