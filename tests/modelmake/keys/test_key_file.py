"""Every stage has a key file of its own, named after it."""

from modelmake.keys import key_file


def test_a_stage_and_each_of_its_items_have_their_own_file() -> None:
    assert key_file.path_of("clean") == "keys/clean.json"
    assert key_file.path_of("evaluate@base-chat") == "keys/evaluate.base-chat.json"
