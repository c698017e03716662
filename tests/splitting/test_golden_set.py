"""The golden set is the one that is pinned, and made of chats."""

import hashlib
from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages.rows.row import Chat, Message, make_row
from stages.splitting import golden_set

QA = '{"question": "How many legs?", "answer": "Eight."}\n'
CHAT = Chat([Message("user", "How many legs?"), Message("assistant", "Eight.")])


def write(folder: Path, content: str) -> tuple[Path, str]:
    path = folder / "golden.jsonl"
    path.write_text(content)
    return path, hashlib.sha256(content.encode()).hexdigest()


def test_its_chats_are_rows_of_the_test_split_each_as_often_as_it_is_there(tmp_path: Path) -> None:
    row = make_row(CHAT, "test")

    assert golden_set.read(*write(tmp_path, QA + QA)) == [row, row]


@pytest.mark.parametrize("content", ["", "\n"])
def test_a_file_without_records_is_no_golden_set(tmp_path: Path, content: str) -> None:
    assert golden_set.read(*write(tmp_path, content)) == []


def test_another_set_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    path, sha256 = write(tmp_path, QA)
    path.write_text(QA.replace("Eight", "Six"))
    actual = hashlib.sha256(path.read_bytes()).hexdigest()

    with pytest.raises(UserError) as error:
        golden_set.read(path, sha256)

    assert str(error.value) == (
        f"{path}: SHA-256 {actual}: want {sha256}, as split.golden pins it: `git checkout {path}`, or write the new "
        "hash there if the set is meant to change"
    )


def test_a_field_that_would_change_what_a_chat_means_is_refused(tmp_path: Path) -> None:
    turns = '[{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]'
    path, sha256 = write(tmp_path, f'{{"messages": {turns}, "images": ["x.png"], "topic": "x"}}\n')

    with pytest.raises(UserError) as error:
        golden_set.read(path, sha256)

    assert str(error.value) == (
        f"{path}: field images.*: it may be an image, a sound or a film, and nothing reads it: take it out, or give it "
        "as a format has it"
    )


def test_a_missing_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"gone: no such file: want the golden set of split.golden, or a file with a blank line"
    ):
        golden_set.check(tmp_path / "gone", "")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "no chat"}', "text: want a chat; take it out"),
        ('{"prompt": "p", "completion": "c", "label": false}', "kto: want a chat; take it out"),
        ('{"question": "q", "answer": ""}', "empty_answer: the answer is empty: want a chat; mend it, or take it out"),
        ("{", "broken_json: "),
    ],
)
def test_a_record_that_is_no_usable_chat_is_refused(tmp_path: Path, line: str, message: str) -> None:
    path, sha256 = write(tmp_path, QA + line + "\n")

    with pytest.raises(UserError) as error:
        golden_set.read(path, sha256)

    assert str(error.value).startswith(f"{path}:2: {message}")
