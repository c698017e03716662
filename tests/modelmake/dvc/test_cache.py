"""The contract with the cache that DVC writes: what it holds is read as DVC reads it, and left as it is."""

from pathlib import Path

import pytest

from modelmake import artifacts
from modelmake.artifacts import files_md5
from modelmake.dvc import reproduction
from modelmake.dvc.cache import Cache


def object_of(root: Path, recorded: str) -> Path:
    return root / ".dvc/cache/files/md5" / recorded[:2] / recorded[2:]


@pytest.mark.parametrize("path", ["cleaned.txt", "split"])
def test_an_artifact_that_is_whole_is_told_by_its_files(root: Path, path: str) -> None:
    found = artifacts.measure(root / path)
    files = Cache(root / ".dvc/cache").whole(found.md5)

    assert files_md5(files) == found.md5
    assert sorted(files.values()) == sorted(file.md5 for file in found.files.values())


def test_an_artifact_of_which_anything_is_gone_or_corrupt_is_not_whole(root: Path) -> None:
    cache, found = Cache(root / ".dvc/cache"), artifacts.measure(root / "split")
    of_file, of_folder = object_of(root, found.files["test.txt"].md5), object_of(root, found.md5)

    of_file.chmod(0o644)
    assert cache.whole(found.md5) is not None, "unprotected, and hashed"
    of_file.write_text("corrupt")
    assert cache.whole(found.md5) is None
    of_file.unlink()
    assert cache.whole(found.md5) is None
    of_folder.chmod(0o644)
    of_folder.write_text("[")
    assert cache.whole(found.md5) is None
    of_folder.unlink()
    assert cache.whole(found.md5) is None
    assert cache.whole(None) is None


def test_the_run_cache_has_each_run_by_the_key_that_dvc_gives_it(root: Path) -> None:
    with reproduction.reading(root) as records:
        for name in ("clean", "split", "train@up", "page"):
            node = records.nodes[name]
            inputs = {path: records.files(path) for path in node.deps}
            assert records.restorable(name, inputs) == node.outs
            assert list(records.similar(name, {})) == [node.outs]
        assert records.restorable("gather", {"models": records.files("models")}) is None, "has an out without cache"


def test_a_run_that_is_corrupt_counts_for_none(root: Path) -> None:
    for file in (root / ".dvc/cache/runs").glob("*/*/*"):
        file.write_text("{" + file.read_text())

    with reproduction.reading(root) as records:
        assert records.restorable("page", {path: records.files(path) for path in ("all.txt", "count.txt")}) is None
        assert list(records.similar("page", {})) == []


def test_of_two_runs_of_a_key_the_newest_counts(root: Path) -> None:
    with reproduction.reading(root) as records:
        inputs = {path: records.files(path) for path in ("all.txt", "count.txt")}
        old = next(
            f
            for f in (root / ".dvc/cache/runs").glob("*/*/*")
            if "page.txt" in f.read_text() and "count" in f.read_text()
        )
        other = "0123456789abcdef0123456789abcdef"
        text = old.read_text().replace(records.nodes["page"].outs["page.txt"], other)
        (old.parent / "newer").write_text(text)

        assert records.restorable("page", inputs) == {"page.txt": other}


def test_an_output_without_an_md5_is_not_in_the_cache(root: Path) -> None:
    assert Cache(root / ".dvc/cache").read("") is None
    assert Cache(root / ".dvc/cache").whole("") is None
