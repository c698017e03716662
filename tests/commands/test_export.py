"""An exported step has the tokens that training here reads, and is written whole or not at all."""

import json
from pathlib import Path

import pytest

from modelmake import params
from modelmake.errors import UserError
from stages.rows import jsonl
from stages.training import kept_rows
from stages.training.row_renderer import RowRenderer
from tests.translating import exported


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    exported.project(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read_here(project: Path) -> list[dict[str, list[int]]]:
    """Tokens and labels of the chats as `train.sft` reads them."""
    import msgspec
    from transformers import AutoTokenizer

    from stages.params.training import Step

    tokenizer = AutoTokenizer.from_pretrained(project / "models/base")
    step = msgspec.convert(params.load(Path("params.yaml"))["train"]["sft"], Step)
    [kept] = kept_rows.read(
        [Path("data/mixed/chat.jsonl")], RowRenderer(tokenizer, "assistant", ["<|end|>"], []), step, ""
    )
    return [{"input_ids": side.ids, "labels": side.labels} for sides in kept.sides for side in sides]


def test_axolotl_gets_the_tokens_and_labels_of_every_row(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = exported.run(project, "sft", "axolotl")

    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    assert [{name: row[name] for name in ("input_ids", "labels")} for row in rows] == read_here(project)
    assert all(row["attention_mask"] == [1] * len(row["input_ids"]) for row in rows)
    config = params.load(folder / "axolotl.yaml")
    assert config["base_model"] == str(project / "models/base")
    assert (config["num_epochs"], config["micro_batch_size"], config["sequence_len"]) == (3, 32, 256)
    assert "adapter" not in config and config["test_datasets"][0]["path"] == "val.jsonl"
    said = capsys.readouterr().out
    assert "export: train: 24 of 24 rows; 0 longer than max_length" in said
    assert "export: not said there: train.sft.stop_on = []: watch the loss" in said


def test_llamafactory_gets_both_answers_of_each_pair(project: Path) -> None:
    from datasets import load_from_disk

    folder = exported.run(project, "dpo", "llamafactory", "loss_type", "loss_weights")

    rows = load_from_disk(str(folder / "rows"))
    assert set(rows) == {"train", "validation"} and len(rows["train"]) == 24
    assert set(rows["train"].column_names) == {
        f"{side}_{name}" for side in ("chosen", "rejected") for name in ("input_ids", "attention_mask", "labels")
    }
    config = params.load(folder / "llamafactory.yaml")
    assert (config["stage"], config["lora_target"], config["lora_rank"], config["pref_beta"]) == ("dpo", "all", 32, 0.1)


def test_torchtune_gets_messages_once_it_is_accepted_that_it_writes_them_otherwise(tmp_path: Path, monkeypatch) -> None:
    exported.project(tmp_path, repo="meta-llama/Llama-3.2-1B-Instruct")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"train.sft.chat_template = torchtune writes chats by a format of its own"):
        exported.run(tmp_path, "sft", "torchtune")

    folder = exported.run(tmp_path, "sft", "torchtune", "chat_template")

    rows = [json.loads(line)["messages"] for line in (folder / "train.jsonl").read_text().splitlines()]
    given = [row.content.messages for row in jsonl.read(Path("data/mixed/chat.jsonl"))]
    assert rows == [[{"role": turn.role, "content": turn.content} for turn in turns] for turns in given]
    assert params.load(folder / "torchtune.yaml")["model"] == {"_component_": "torchtune.models.llama3_2.llama3_2_1b"}


def test_what_is_there_is_not_overwritten_and_what_is_missing_is_named(project: Path) -> None:
    (project / "sft-axolotl").mkdir()
    from stages.commands import export

    given = exported.argparse.Namespace(step="sft", to="axolotl", folder=None, accept=[], here=project)
    given.folder = project / "sft-axolotl"
    with pytest.raises(UserError, match=r"sft-axolotl: exists: want a folder that does not"):
        export.run(given)
    with pytest.raises(UserError, match=r"export: 'gone': want a step of train: sft, dpo"):
        exported.run(project, "gone", "axolotl")
    (project / "data/mixed/chat.jsonl").unlink()
    with pytest.raises(UserError, match=r"data/mixed/chat.jsonl: not there yet"):
        exported.run(project, "sft", "axolotl")
    assert not list(project.glob("sft-axolotl/*")), "nothing is left of an export that failed"
