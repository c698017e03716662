"""A full disk is recognised whichever library raises the error, and the message names the disk."""

import errno
import re
from pathlib import Path

import pytest

from modelmake.running import disk_full


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "made/x"),
        OSError("1000000 requested and 131072 written"),  # numpy's tofile, through which gguf writes
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),  # safetensors
    ],
)
def test_errors_of_a_full_disk_are_recognised(error: Exception) -> None:
    assert disk_full.is_disk_full(error)


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "denied"), ValueError("3 requested and 2 written"), OSError()])
def test_other_errors_are_not(error: Exception) -> None:
    assert not disk_full.is_disk_full(error)


def test_the_message_names_the_nearest_folder_that_exists_and_the_space_there(tmp_path: Path) -> None:
    error = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "made/deep/x"))

    message = disk_full.message("train@sft", error)

    assert re.sub(r"\d+ MiB", "N MiB", message) == (
        f"train@sft: no space left on the disk of {tmp_path}: found N MiB free; nothing published; "
        "free some (`dvc gc -w` drops what no build uses) and `dvc repro` again"
    )
