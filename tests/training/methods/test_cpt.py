"""Continued pretraining: rows that share a block are trained as if alone, and nothing of a text is lost."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from modelmake.errors import UserError
from stages import train
from stages.params.machine import Machine
from stages.params.training import Cpt
from stages.params.weights import All
from stages.rows import jsonl
from stages.rows.row import Text, make_row
from stages.training import kept_rows, packing, trainers
from stages.training.methods import cpt
from stages.training.tokens import Encoded, Tokens
from tests.conftest import ROOT
from tests.tiny_models import build_model
from tests.training.test_resume import COMMON

CPU = Machine("cpu", "float32", 1)
CHANGES = {
    "max_length": 13, "over_long": "split", "per_device_train_batch_size": 2, "gradient_accumulation_steps": 1,
    "num_train_epochs": 1, "logging_steps": 1,
}  # fmt: skip
PARAMS = Cpt(**{**COMMON, **CHANGES}, rows="text", weights=All(), packing=True)
TEXTS = [[5, 6, 7, 8, 9, 10, 11], [12, 13, 14], [15, 16, 17, 18, 19], [20, 21], [22, 23, 24, 25, 26, 27, 28, 29]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


def dataset(texts: list[list[int]]) -> Any:
    from datasets import Dataset

    return Dataset.from_list([{"pieces": [ids], "row": row} for row, ids in enumerate(texts)])


def test_a_text_whose_last_piece_is_one_token_is_trained_on() -> None:
    """That token is read and not predicted; those of the other pieces are."""
    text = make_row(Text("a"))
    params = replace(PARAMS, over_long="split", max_length=2)

    kept = kept_rows.keep([text], [Encoded([Tokens([1, 2, 3], [(0, 3)], 0)], [], set(), False)], params, "train.cpt")

    assert (kept.rows, kept.untrained, kept.counts()["trained"]) == ([text], [], 1)


def test_items_share_blocks_by_best_fit_the_longest_first() -> None:
    assert packing.blocks([5, 3, 4, 2, 1], 6) == [[0, 4], [2, 3], [1]]


@given(st.lists(st.integers(1, 9)), st.integers(9, 12))
def test_every_item_is_in_one_block_that_has_room_for_it(lengths: list[int], size: int) -> None:
    packed = packing.blocks(lengths, size)

    assert sorted(item for block in packed for item in block) == list(range(len(lengths)))
    assert all(0 < sum(lengths[item] for item in block) <= size for block in packed)


def test_a_text_is_split_into_pieces_that_hold_all_of_it() -> None:
    pieces = Tokens([1, 2, 3, 4, 5], [(0, 5)], 0).pieces(2)

    assert pieces == [Tokens([1, 2], [(0, 2)], 0), Tokens([3, 4], [(0, 2)], 0), Tokens([5], [(0, 1)], 0)]


def test_positions_begin_again_with_each_piece_and_all_but_its_first_token_are_predicted() -> None:
    blocks = cpt.blocks(dataset([[5, 6, 7], [8, 9], [10, 11, 12]]), replace(PARAMS, max_length=5))

    assert blocks[:] == {
        "input_ids": [[5, 6, 7], [10, 11, 12, 8, 9]],
        "position_ids": [[0, 1, 2], [0, 1, 2, 0, 1]],
        "labels": [[-100, 6, 7], [-100, 11, 12, -100, 9]],
        "row": [[0], [1, 2]],
    }


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("architecture", ["llama", "qwen3"])
def test_a_packed_loss_is_the_sum_of_the_losses_of_the_rows(architecture: str, attention: str, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = build_model(tmp_path / "model", architecture)
    network = AutoModelForCausalLM.from_pretrained(folder, attn_implementation=attention)
    arguments = trainers.arguments(PARAMS, CPU, tmp_path / "work") | {"eval_strategy": "no"}
    trainer = cpt.trainer(
        PARAMS, arguments, model=network, train_dataset=dataset(TEXTS),
        processing_class=AutoTokenizer.from_pretrained(folder),
    )  # fmt: skip
    [batch] = trainer.get_train_dataloader()  # of two blocks, the second with padding
    assert batch["input_ids"].shape == (2, 13)
    network.train()
    packed = trainer.compute_loss(network, trainer._prepare_inputs(batch), num_items_in_batch=torch.tensor(1))
    packed.backward()
    gradient = network.get_input_embeddings().weight.grad.clone()
    network.zero_grad()

    alone = sum(
        network(input_ids=ids, labels=ids).loss * (ids.shape[1] - 1) for ids in (torch.tensor([t]) for t in TEXTS)
    )
    alone.backward()

    torch.testing.assert_close(packed, alone)
    torch.testing.assert_close(gradient, network.get_input_embeddings().weight.grad)
    assert [sorted(rows) for _, rows in trainer.consumed] == [list(range(len(TEXTS)))]
    assert trainer._total_train_tokens == sum(map(len, TEXTS))


def test_a_model_that_mixes_the_rows_of_a_block_is_refused(model: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer, MambaConfig, MambaForCausalLM

    mixing = MambaForCausalLM(MambaConfig(vocab_size=384, hidden_size=16, num_hidden_layers=1, state_size=4))
    arguments = trainers.arguments(PARAMS, CPU, tmp_path) | {"eval_strategy": "no"}

    with pytest.raises(UserError, match=r"^packing = True: MambaForCausalLM does not keep rows of a block apart: want"):
        cpt.trainer(
            PARAMS, arguments, model=mixing, train_dataset=dataset(TEXTS),
            processing_class=AutoTokenizer.from_pretrained(model),
        )  # fmt: skip


@pytest.mark.parametrize("packed", [True, False])
def test_long_texts_are_split_counted_and_recorded_whole(packed: bool, model: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    texts = ["ab", "abc", "long " * 6]
    rows = {text: make_row(Text(text)) for text in texts}
    for name in ("train", "val"):
        jsonl.write(tmp_path / f"{name}.jsonl", list(rows.values()))
    files = [tmp_path / name for name in ("train.jsonl", "val.jsonl", "trained", "consumed.jsonl", "log.json", "work")]

    line = train.main(model, ROOT / PARAMS.second_model, *files, "cpt", replace(PARAMS, packing=packed), CPU)

    long, tokenizer = rows["long " * 6].id, AutoTokenizer.from_pretrained(model)
    log = json.loads((tmp_path / "log.json").read_text())
    n_tokens = sum(len(tokenizer(text)["input_ids"]) + 1 for text in texts)  # and the end
    assert (log["in"], log["out"], log["dropped"], log["over_long"], log["split"]) == (3, 3, {}, [], [long])
    assert (log["tokens"]["total"], log["tokens"]["rows"]) == (n_tokens, 3)
    assert ", 1 split; " in line
    consumed = [
        id for batch in (tmp_path / "consumed.jsonl").read_text().splitlines() for id in json.loads(batch)["ids"]
    ]
    assert set(consumed) == {row.id for row in rows.values()}
    assert consumed.count(long) > 1
    assert max(entry.get("num_tokens", 0) for entry in log["history"]) == n_tokens
