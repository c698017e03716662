"""The contract with DVC: records are those of dvc.lock, and entries those that DVC would write there."""

from pathlib import Path

import pytest

from modelmake.artifacts import files_md5
from modelmake.dvc import graph, internals, reproduction
from modelmake.errors import UserError
from modelmake.params import load


def test_an_entry_is_what_dvc_writes_into_its_lock(copied: Path) -> None:
    with reproduction.reading(copied) as records:
        entry = records.entry("copy", {"raw": records.files("raw")})

    (locked,) = load(copied / "dvc.lock")["stages"].values()
    assert entry == {
        **locked, "deps": [{k: v for k, v in dep.items() if k != "size"} for dep in locked["deps"]],
    }  # fmt: skip


def test_a_node_tells_what_is_recorded_of_it(copied: Path) -> None:
    with reproduction.reading(copied) as records:
        assert list(records.nodes) == ["raw.dvc", "copy"]
        raw, copy = records.nodes["raw.dvc"], records.nodes["copy"]
        assert records.files("nowhere") is None
        assert {"raw": files_md5(records.files("raw"))} == raw.outs == copy.deps
        assert (raw.cmd, copy.cmd, copy.recorded_cmd) == (None, "head -c 1 raw > out", "head -c 1 raw > out")
        assert copy.sizes == {"out": 1}


def test_the_lock_is_held_only_while_it_is_read(copied: Path) -> None:
    with reproduction.reading(copied):
        assert graph.stale(copied) == {}


def test_the_run_cache_is_asked_by_the_key_under_which_dvc_saved_the_run(copied: Path) -> None:
    with reproduction.reading(copied) as records:
        inputs = {"raw": records.files("raw")}
        key = internals.run_cache_key(records.entry("copy", inputs))

        assert [folder.name for folder in (copied / ".dvc/cache/runs").glob("*/*")] == [key]
        assert records.restorable("copy", inputs) == records.nodes["copy"].outs
        assert records.restorable("copy", {"raw": {"": "0" * 32}}) is None


def test_a_project_that_dvc_refuses_is_an_error_in_its_words(copied: Path) -> None:
    (copied / "dvc.yaml").write_text("stages: {copy: {cmd: head, deps: [out], outs: [out]}}\n")

    with pytest.raises(UserError, match="copy"), reproduction.reading(copied):
        pass
