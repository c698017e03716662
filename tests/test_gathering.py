"""A folder that gathers items holds no file of an item that is declared no more."""

from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages import gathering


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = Path("reports/evaluate")
    folder.mkdir(parents=True)
    for name in ("sft-chat.json", "sft-chat.jsonl", "base-chat.consumed.jsonl", ".base-chat.json.partial"):
        (folder / name).touch()
    return folder


def test_files_of_declared_items_pass_whatever_their_suffixes_and_hidden_ones_too(folder: Path) -> None:
    gathering.check(folder, ["base-chat", "sft-chat", "dpo-chat"])


def test_files_of_removed_items_are_named_with_the_command_that_removes_them(folder: Path) -> None:
    (folder / "old.json").touch()

    with pytest.raises(UserError) as told:
        gathering.check(folder, (name for name in ["base-chat", "dpo-chat"]))

    assert str(told.value) == (
        "reports/evaluate: old.json, sft-chat.json, sft-chat.jsonl: left by items that params.yaml no longer declares: "
        "want only base-chat, dpo-chat; "
        "`rm reports/evaluate/old.json reports/evaluate/sft-chat.json reports/evaluate/sft-chat.jsonl`"
    )


def test_an_item_whose_name_only_begins_alike_is_not_declared(folder: Path) -> None:
    (folder / "sft-chats.json").touch()

    with pytest.raises(UserError, match=r"^reports/evaluate: sft-chats\.json: left by"):
        gathering.check(folder, ["base-chat", "sft-chat"])
