"""The splits in the Croissant format."""

import hashlib
import json
from pathlib import Path

import pytest

from stages.reporting import croissant
from stages.rows import jsonl
from stages.rows.row import Chat, Message, Pair, Text, make_row


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[Path, str]:
    """A file of every kind, its paths as a stage has them."""
    monkeypatch.chdir(tmp_path)
    turns = [Message("user", "hi"), Message("assistant", "ho")]
    contents = {"chat": Chat(turns), "pair": Pair(turns[:1], turns[1:], turns[1:]), "text": Text("x")}
    found = {Path(f"data/splits/train/{kind}.jsonl"): kind for kind in contents}
    Path("data/splits/train").mkdir(parents=True)
    for path, kind in found.items():
        jsonl.write(path, [make_row(contents[kind])])
    Path("reports").mkdir(parents=True)
    return found


def described(files: dict[Path, str]) -> dict:
    return croissant.describe(files, Path("reports"), "desk", "Rows.", "Apache-2.0", ["en"])


def test_files_have_hashes_and_addresses_and_the_same_rows_give_the_same_bytes(written: dict[Path, str]) -> None:
    found = described(written)

    croissant.write(Path("reports/a.json"), found)
    croissant.write(Path("reports/b.json"), described(written))
    assert Path("reports/a.json").read_bytes() == Path("reports/b.json").read_bytes()
    assert [(f["@id"], f["contentUrl"], f["sha256"]) for f in found["distribution"]] == [
        (f"train/{path.name}", f"../{path}", hashlib.sha256(path.read_bytes()).hexdigest()) for path in written
    ]
    assert (found["name"], found["license"], found["inLanguage"]) == ("desk", "Apache-2.0", "en")
    assert not any(word in json.dumps(found) for word in ("datePublished", "dateCreated", str(Path.cwd())))


def test_a_reader_of_croissant_reads_the_rows(written: dict[Path, str]) -> None:
    import mlcroissant

    croissant.write(Path("reports/croissant.json"), described(written))
    dataset = mlcroissant.Dataset(jsonld="reports/croissant.json")

    assert dataset.metadata.ctx.issues.errors == set()
    (chat,) = dataset.records("train_chat")
    assert chat["train_chat/turns"] == [b"hi", b"ho"]
    assert chat["train_chat/roles"] == [b"user", b"assistant"]
    (pair,) = dataset.records("train_pair")
    assert (pair["train_pair/chosen"], pair["train_pair/prompt"]) == ([b"ho"], [b"hi"])
    (text,) = dataset.records("train_text")
    assert text["train_text/text"] == b"x"
    assert text["train_text/id"].decode() == make_row(Text("x")).id
