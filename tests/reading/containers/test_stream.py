"""Streams: neither the size of chunks nor compression changes the records; damage is one error of one line."""

import bz2
import gzip
import io
from pathlib import Path

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages.reading import files
from stages.reading.containers import json_window, plain_text, record, stream
from stages.reading.containers.record import Broken, Record, Unreadable


def zstd(content: bytes) -> bytes:
    return pyarrow.compress(content, codec="zstd", asbytes=True)


NOT_UTF8 = "is not UTF-8: save the file as UTF-8; `iconv -f WINDOWS-1252 -t UTF-8` converts what Windows often writes"
COMPRESS = {".gz": gzip.compress, ".bz2": bz2.compress, ".zst": zstd}


def read(path: Path, content: bytes) -> list[Record | Broken] | str:
    path.write_bytes(content)
    try:
        return list(files.read(path, path.name))
    except UserError as error:
        return str(error)


SNIPPETS = st.sampled_from(
    [*'[]{},:"\\\n\r\t 1-', "null", "Infinity", "1e999", '"train"', '"text"', "\ufeff", "é", "\\ud83d\\ude00", "😀"]
)
TEXTS = st.lists(SNIPPETS, max_size=40).map("".join) | st.sampled_from(
    [
        '[{"text": "a"},\n{"text": "b"} {"text"',
        '{"test": [["a", "b"]],\n"dev" [',
        '{"train":\n\n["a"], "x": [1.5e+3, -0.1]',
    ]
)


@settings(max_examples=300)
@given(
    TEXTS, st.sampled_from([".json", ".jsonl", ".csv", ".tsv", ".txt", ".md"]), st.integers(1, 9), st.binary(max_size=2)
)
def test_the_size_of_chunks_does_not_change_the_records(
    tmp_path_factory: pytest.TempPathFactory, text: str, suffix: str, size: int, end: bytes
) -> None:
    path, content = tmp_path_factory.getbasetemp() / f"a{suffix}", text.encode() + end
    whole = read(path, content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "CHUNK_BYTES", size)
        chunked = read(path, content)
    two_faults = end and all(isinstance(result, str) for result in (whole, chunked, read(path, content[:-1])))
    assert chunked == whole or two_faults  # the error is about the fault that is read first


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("train.jsonl", b'{"text": "a"}\n{"text": "b"}\n'),
        ("train.json", b'[{"text": "a"},\n{"text": "b"}]'),
        ("train.csv", b"text\na\nb\n"),
        ("train.TSV", b"text\ta\n1\t2\n"),
        ("train.txt", b"a\n\nb\n"),
        ("train.md", b"# A\n"),
    ],
)
def test_a_compressed_file_has_the_records_and_the_split_of_the_plain_one(
    tmp_path: Path, name: str, content: bytes, compression: str
) -> None:
    plain = read(tmp_path / name, content)

    packed = read(tmp_path / f"{name}{compression}", COMPRESS[compression](content) + COMPRESS[compression](b""))

    assert [r.split for r in packed] == ["train"] * len(plain)
    unpacked = [r._replace(value={**r.value, "path": name}) if "path" in r.value else r for r in packed]
    assert unpacked == plain


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("cut", [1, 9, 4000])
def test_a_compressed_file_that_is_cut_off_is_one_line(tmp_path: Path, compression: str, cut: int) -> None:
    packed = COMPRESS[compression](b"".join(b'{"text": "%d"}\n' % n**9 for n in range(9999)))

    error = read(tmp_path / f"a.jsonl{compression}", packed[:-cut])

    assert isinstance(error, str) and "\n" not in error
    assert error.startswith(f"{tmp_path}/a.jsonl{compression}: its {compression} stream is damaged or cut off: ")
    assert error.endswith(": fetch the file again")


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("content", [b"no stream at all, but text", b"\0"])
def test_a_file_that_is_not_compressed_as_its_suffix_says_is_one_line(
    tmp_path: Path, compression: str, content: bytes
) -> None:
    error = read(tmp_path / f"a.txt{compression}", content)

    assert error.startswith(f"{tmp_path}/a.txt{compression}: its {compression} stream is damaged or cut off: "), error


def test_a_file_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        list(files.read(tmp_path / "a.txt", "a.txt"))

    assert str(error.value) == f"{tmp_path}/a.txt: No such file or directory: want a file that can be read"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", "1\n" + "x" * 99, "2: the line is longer than 0 MiB: want a record a line; save an array as .json"),
        ("a.csv", "a\n\n" + "x" * 99, "3: the line is longer than 0 MiB: want a row a line"),
        ("a.txt", "a\n\n" + "x\n" * 99, "3: the paragraph is longer than 0 MiB: want blank lines between paragraphs"),
        ("a.md", "x\n" * 99, "1: the document is longer than 0 MiB: split it"),
        ("a.html", "x\n" * 99, "1: the document is longer than 0 MiB: split it"),
        (
            "a.json",
            '[1,\n{"a": "' + "x" * 99,
            "2: the record is longer than 0 MiB: split it, or mend what is open in it",
        ),
    ],
)
def test_a_record_above_the_limit_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str, message: str
) -> None:
    for module in (record, stream, plain_text, json_window):
        monkeypatch.setattr(module, "MAX_RECORD_SIZE", 50)
    monkeypatch.setattr(stream, "CHUNK_BYTES", 10)

    assert read(tmp_path / name, content.encode()) == f"{tmp_path}/{name}:{message}"


@given(st.text(st.sampled_from("ab\n\r\u2028é")), st.integers(1, 5))
def test_lines_together_are_the_text_and_only_newlines_end_them(text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "CHUNK_BYTES", size)
        lines = list(stream.lines(io.BytesIO(text.encode()), ""))

    assert "".join(lines) == text
    assert [line.count("\n") for line in lines] == [1] * text.count("\n") + [0] * (text[-1:] not in ("", "\n"))


def test_bytes_that_are_not_text_are_an_error_with_their_line_in_any_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHUNK_BYTES", 2)
    for content, message in (
        (b"ab\ncd\n\xc3\xa9\xe9x", f"3: byte 0xe9 {NOT_UTF8}"),
        (b"ab\ncd\n\xc3", f"3: byte 0xc3 {NOT_UTF8}"),
        (b"abc\0", " byte 3 is NUL, so this is no text: want UTF-8 text; move it elsewhere"),
    ):
        with pytest.raises(Unreadable) as error:
            list(stream.lines(io.BytesIO(content), ""))
        assert str(error.value) == message
