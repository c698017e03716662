"""Files as streams: decompressed, decoded and cut into lines, one chunk at a time."""

import bz2
import codecs
import contextlib
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from stages.reading.containers.record import MAX_RECORD_SIZE, Unreadable, too_long

CHUNK_BYTES = 1 << 18
COMPRESSED_SUFFIXES = (".gz", ".bz2", ".zst")
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
DECOMPRESSION_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile, OSError)


@contextlib.contextmanager
def open_decompressed(path: Path) -> Iterator[BinaryIO]:
    """Context manager for a file's bytes, decompressed by its suffix.

    Raises:
        Unreadable: while reading, where the compressed stream is damaged or cut off.
    """
    with contextlib.ExitStack() as stack:
        file: BinaryIO = stack.enter_context(path.open("rb"))
        suffix = path.suffix.lower()
        if suffix == ".gz":
            file = stack.enter_context(gzip.open(file))
        elif suffix == ".bz2":
            file = stack.enter_context(bz2.open(file))
        elif suffix == ".zst":
            file = stack.enter_context(_open_zstd(file))
        try:
            yield file
        except DECOMPRESSION_ERRORS as error:
            # Errors of the system, such as an unreadable disk, have a number; those of decompressors have none.
            if suffix not in COMPRESSED_SUFFIXES or getattr(error, "errno", None) is not None:
                raise
            cause = " ".join(str(error).split())
            raise Unreadable(f" its {suffix} stream is damaged or cut off: {cause}: fetch the file again") from None


def _open_zstd(file: BinaryIO) -> BinaryIO:
    import pyarrow

    return pyarrow.CompressedInputStream(pyarrow.PythonFile(file, mode="r"), "zstd")


def read_whole(file: BinaryIO) -> bytes:
    """All bytes of a file that is one record.

    Raises:
        Unreadable: the file is longer than MAX_RECORD_SIZE.
    """
    chunks, size = [], 0
    while chunk := file.read(CHUNK_BYTES):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_RECORD_SIZE:
            raise too_long(1, "the document", "split it")
    return b"".join(chunks)


def text_chunks(file: BinaryIO) -> Iterator[str]:
    """The text of a UTF-8 file in chunks, without a byte order mark.

    Raises:
        Unreadable: the file is not UTF-8 text.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    bytes_read = newlines = 0
    while True:
        chunk = file.read(CHUNK_BYTES)
        if not bytes_read and chunk[:2] in UTF16_MARKS:
            raise Unreadable(" is UTF-16: want UTF-8; `iconv -f UTF-16 -t UTF-8` converts it")
        if (nul := chunk.find(b"\0")) >= 0:
            raise Unreadable(f" byte {bytes_read + nul} is NUL, so this is no text: want UTF-8 text; move it elsewhere")
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line = newlines + error.object[: error.start].count(b"\n") + 1
            byte = error.object[error.start]
            raise Unreadable(
                f"{line}: byte {byte:#04x} is not UTF-8: save the file as UTF-8; `iconv -f WINDOWS-1252 -t UTF-8` "
                "converts what Windows often writes"
            ) from None
        bytes_read += len(chunk)
        newlines += text.count("\n")
        if text:
            yield text
        if not chunk:
            return


def lines(file: BinaryIO, advice: str) -> Iterator[str]:
    """The lines of a UTF-8 file with their ends; only `\\n` ends a line.

    Args:
        advice: what to do about a line that is too long.

    Raises:
        Unreadable: the file is not UTF-8 text, or a line is longer than MAX_RECORD_SIZE.
    """
    return lines_of(text_chunks(file), advice)


def lines_of(chunks: Iterable[str], advice: str) -> Iterator[str]:
    """The lines of a text in chunks, as `lines` gives them."""
    unfinished: list[str] = []  # parts of the line that the next chunk continues
    number = size = 0
    for text in chunks:
        head, newline, tail = text.rpartition("\n")
        if newline:
            for line in io.StringIO(f"{''.join(unfinished)}{head}\n", newline="\n"):
                number += 1
                yield line
            unfinished, size = [], 0
        if tail:
            unfinished.append(tail)
            size += len(tail)
        if size > MAX_RECORD_SIZE:
            raise too_long(number + 1, "the line", advice)
    if unfinished:
        yield "".join(unfinished)
