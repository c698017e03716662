"""Bytes to text as they come: decompressed, decoded, a piece at a time."""

import bz2
import codecs
import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from stages.reading.containers.record import LONGEST, Unreadable, too_long

PIECE = 1 << 18  # bytes read at a time
COMPRESSED = (".gz", ".bz2", ".zst")
UTF16 = (b"\xff\xfe", b"\xfe\xff")
DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, OSError)  # as decompressors tell of it


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, decompressed as its suffix says.

    Raises:
        Unreadable: where reading it finds the compressed stream damaged or cut off.
    """
    with contextlib.ExitStack() as stack:
        file: BinaryIO = stack.enter_context(path.open("rb"))
        suffix = path.suffix.lower()
        if suffix == ".gz":
            file = stack.enter_context(gzip.open(file))
        elif suffix == ".bz2":
            file = stack.enter_context(bz2.open(file))
        elif suffix == ".zst":
            file = stack.enter_context(_zstd(file))
        try:
            yield file
        except DAMAGE as error:
            if suffix not in COMPRESSED or getattr(error, "errno", None) is not None:
                raise
            why = " ".join(str(error).split())
            raise Unreadable(f" its {suffix} stream is damaged or cut off: {why}: fetch the file again") from None


def _zstd(file: BinaryIO) -> BinaryIO:
    import pyarrow

    return pyarrow.CompressedInputStream(pyarrow.PythonFile(file, mode="r"), "zstd")


def whole(file: BinaryIO) -> bytes:
    """All of a file that is one record.

    Raises:
        Unreadable: no memory should have to hold it.
    """
    parts, size = [], 0
    while piece := file.read(PIECE):
        parts.append(piece)
        size += len(piece)
        if size > LONGEST:
            raise too_long(1, "the document", "split it")
    return b"".join(parts)


def pieces(file: BinaryIO) -> Iterator[str]:
    """The file's text, a piece at a time.

    Raises:
        Unreadable: it is no UTF-8 text.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    read = newlines = 0
    while True:
        piece = file.read(PIECE)
        if not read and piece[:2] in UTF16:
            raise Unreadable(" is UTF-16: want UTF-8; `iconv -f UTF-16 -t UTF-8` converts it")
        if (nul := piece.find(b"\0")) >= 0:
            raise Unreadable(f" byte {read + nul} is NUL, so this is no text: want UTF-8 text; move it elsewhere")
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            line = newlines + error.object[: error.start].count(b"\n") + 1
            wrong = error.object[error.start]
            raise Unreadable(f"{line}: byte {wrong:#04x} is not UTF-8: save the file as UTF-8") from None
        read += len(piece)
        newlines += text.count("\n")
        if text:
            yield text
        if not piece:
            return


def lines(file: BinaryIO, advice: str) -> Iterator[str]:
    """The file's lines with their ends; only a newline ends one.

    Raises:
        Unreadable: it is no UTF-8 text, or a line is too long, where `advice` says what to do.
    """
    rest: list[str] = []  # of a line that goes on
    number = size = 0
    for text in pieces(file):
        head, newline, tail = text.rpartition("\n")
        if newline:
            for line in io.StringIO(f"{''.join(rest)}{head}\n", newline="\n"):
                number += 1
                yield line
            rest, size = [], 0
        if tail:
            rest.append(tail)
            size += len(tail)
        if size > LONGEST:
            raise too_long(number + 1, "the line", advice)
    if rest:
        yield "".join(rest)
