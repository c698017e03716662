"""Files left by items that are no longer declared are errors."""

from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages.reporting import item_files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = Path("reports/evaluate")
    folder.mkdir(parents=True)
    for name in ("sft-chat.json", "sft-chat.jsonl", "base-chat.consumed.jsonl", ".base-chat.json.partial"):
        (folder / name).touch()
    return folder


def test_files_of_declared_items_pass_with_any_suffix_and_hidden_ones_too(folder: Path) -> None:
    item_files.check(folder, ["base-chat", "sft-chat", "dpo-chat"])


def test_files_of_removed_items_are_named_with_the_command_that_removes_them(folder: Path) -> None:
    (folder / "old.json").touch()

    with pytest.raises(UserError) as error:
        item_files.check(folder, (name for name in ["base-chat", "dpo-chat"]))

    assert str(error.value) == (
        "reports/evaluate: old.json, sft-chat.json, sft-chat.jsonl: left by items that params.yaml no longer declares: "
        "want only base-chat, dpo-chat; "
        "`rm reports/evaluate/old.json reports/evaluate/sft-chat.json reports/evaluate/sft-chat.jsonl`"
    )


def test_an_item_whose_name_begins_like_a_declared_one_is_not_declared(folder: Path) -> None:
    (folder / "sft-chats.json").touch()

    with pytest.raises(UserError, match=r"^reports/evaluate: sft-chats\.json: left by"):
        item_files.check(folder, ["base-chat", "sft-chat"])


def test_outputs_that_the_graph_no_longer_declares_are_named_at_any_depth(tmp_path: Path) -> None:
    for name in ("sft/model", "old/model", "trained/sft/adapter", "trained/old/adapter", ".x.partial"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    outs = [str(tmp_path / "sft"), str(tmp_path / "trained/sft")]

    with pytest.raises(UserError) as error:
        item_files.check_outputs(tmp_path, outs)

    strays = [str(tmp_path / "old"), str(tmp_path / "trained/old")]
    assert str(error.value) == (
        f"{tmp_path}: {strays[0]}, {strays[1]}: left by items that params.yaml no longer declares: want only "
        f"outputs of the graph; `rm -r {strays[0]} {strays[1]}`"
    )
    item_files.check_outputs(tmp_path, [*outs, *strays])
