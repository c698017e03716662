"""Every byte is read, each file once, and a file that cannot be read is a result, not a failure."""

import hashlib
from pathlib import Path

import pytest

from modelmake.verifying import rehash
from modelmake.verifying.rehash import Digest, Progress


def test_files_get_their_digests_and_hard_links_are_read_once(tmp_path: Path) -> None:
    first, link, folder, absent = (tmp_path / name for name in ("first", "link", "folder", "absent"))
    first.write_bytes(b"rows")
    link.hardlink_to(first)
    folder.mkdir()
    with Progress("rehashed", 4) as progress:
        result = rehash.files([first, link, folder, absent, first / "below"], progress)

    digest = Digest(hashlib.md5(b"rows").hexdigest(), 4)
    assert result == {
        first: digest, link: digest, folder: Digest("", 0, "no regular file"), absent: None, first / "below": None,
    }  # fmt: skip
    assert progress.bar.done == 4


def test_threads_stop_once_the_block_has_ended() -> None:
    with Progress("rehashed", 4) as progress:
        progress.advance(1)

    with pytest.raises(KeyboardInterrupt):
        progress.advance(1)


def test_results_of_threads_come_in_the_order_of_their_items() -> None:
    assert rehash.in_threads(lambda n: n * n, range(100)) == [n * n for n in range(100)]
