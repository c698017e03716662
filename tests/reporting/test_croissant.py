"""The splits in the Croissant format."""

import hashlib
import json
from pathlib import Path

import pytest

from stages.reporting import croissant
from stages.rows import accounting, jsonl
from stages.rows.row import Chat, Function, Judged, Message, Pair, Text, ToolCall, make_row

TOOL_CHAT = Chat(
    [
        Message("user", "q"),
        Message("assistant", "", [ToolCall(Function("f", {"a": 1}), "function")], reasoning_content="hm"),
        Message("tool", "z", name="f"),
        Message("assistant", "a"),
    ],
    [{"type": "function", "function": {"name": "f"}}],
)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[Path, str]:
    """{file: kind}, a file of every kind, paths relative to the project."""
    monkeypatch.chdir(tmp_path)
    turns = [Message("user", "hi"), Message("assistant", "ho")]
    contents = {"chat": Chat(turns), "pair": Pair(turns[:1], turns[1:], turns[1:]), "text": Text("x")}
    contents["judged"] = Judged(turns[:1], turns[1:], False, [{"type": "function", "function": {"name": "f"}}])
    paths = {Path(f"data/splits/train/{kind}.jsonl"): kind for kind in contents}
    Path("data/splits/train").mkdir(parents=True)
    for path, kind in paths.items():
        jsonl.write(path, [make_row(contents[kind]), *([make_row(TOOL_CHAT)] if kind == "chat" else [])])
    Path("reports").mkdir(parents=True)
    return paths


def describe(files: dict[Path, str]) -> dict:
    return croissant.describe(files, Path("reports"), "desk", "Rows.", "Apache-2.0", ["en"])


def test_files_have_hashes_and_addresses_and_equal_rows_have_equal_descriptions(files: dict[Path, str]) -> None:
    description = describe(files)

    assert json.dumps(describe(files)) == json.dumps(description)
    assert [(f["@id"], f["contentUrl"], f["sha256"]) for f in description["distribution"]] == [
        (f"train/{path.name}", f"../{path}", hashlib.sha256(path.read_bytes()).hexdigest()) for path in files
    ]
    assert (description["name"], description["license"], description["inLanguage"]) == ("desk", "Apache-2.0", "en")
    assert not any(word in json.dumps(description) for word in ("datePublished", "dateCreated", str(Path.cwd())))


def test_what_nobody_declared_is_left_out(files: dict[Path, str]) -> None:
    description = croissant.describe(files, Path("reports"), "desk", "Rows.", None, None)

    assert not {"license", "inLanguage"} & description.keys()


def test_mlcroissant_reads_the_rows(files: dict[Path, str]) -> None:
    import mlcroissant

    accounting.write_json(Path("reports/croissant.json"), describe(files))
    dataset = mlcroissant.Dataset(jsonld="reports/croissant.json")

    assert dataset.metadata.ctx.issues.errors == set()
    chat, tool_chat = dataset.records("train_chat")
    assert chat["train_chat/turns"] == [b"hi", b"ho"]
    assert chat["train_chat/roles"] == [b"user", b"assistant"]
    assert (chat["train_chat/calls"], chat["train_chat/tools"]) == ([None, None], None)
    assert tool_chat["train_chat/calls"] == [None, b"f", None, None]
    assert (tool_chat["train_chat/tools"], tool_chat["train_chat/reasoning"]) == ([b"f"], [None, b"hm", None, None])
    (pair,) = dataset.records("train_pair")
    assert (pair["train_pair/chosen"], pair["train_pair/prompt"]) == ([b"ho"], [b"hi"])
    (judged,) = dataset.records("train_judged")
    assert (judged["train_judged/answer"], judged["train_judged/good"]) == ([b"ho"], False)
    assert judged["train_judged/tools"] == [b"f"]
    (text,) = dataset.records("train_text")
    assert text["train_text/text"] == b"x"
    assert text["train_text/id"].decode() == make_row(Text("x")).id
