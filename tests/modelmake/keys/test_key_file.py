"""Every stage has a key file of its own, named after it."""

import json
from pathlib import Path

from modelmake.keys import key_file


def test_a_stage_and_each_of_its_items_have_their_own_file() -> None:
    assert key_file.path_of("clean") == "keys/clean.json"
    assert key_file.path_of("evaluate@base-chat") == "keys/evaluate.base-chat.json"


def test_a_stage_without_a_key_file_has_an_empty_key(tmp_path: Path) -> None:
    assert key_file.read(tmp_path, "train@sft") == {}

    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/train.sft.json").write_text(json.dumps({"python": "3.11"}))
    assert key_file.read(tmp_path, "train@sft") == {"python": "3.11"}
