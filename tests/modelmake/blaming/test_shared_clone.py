"""One clone has one mix after another: what is built is the mix that is asked for, not the last one planned."""

import contextlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from modelmake import git
from modelmake.blaming import mixes
from modelmake.blaming.inputs import Input, Side
from modelmake.blaming.revisions import Revision
from modelmake.dvc.graph import Stage

FILES = {
    ".dvc/config": "",
    "params.yaml": "{}",
    ".gitignore": "/page.txt\n",
}


def write(root: Path, age: str) -> None:
    for name, text in {**FILES, "raw/a.txt": f"{age} a", "raw/b.txt": f"{age} b"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_the_mix_that_is_built_has_its_own_input_though_another_was_planned_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, built = tmp_path / "project", []
    write(tmp_path / "old", "old")
    write(root, "new")
    for command in (
        ["git", "init", "-q"],
        ["git", "add", "-A"],
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "new"],
    ):
        subprocess.run(command, cwd=root, check=True)

    def build(path: Path, *_: Any, **__: Any) -> subprocess.CompletedProcess[bytes]:
        (path / "page.txt").write_text("built")
        built.append([(path / f"raw/{name}.txt").read_text() for name in "ab"])
        return subprocess.CompletedProcess([], 0)

    monkeypatch.setattr(mixes, "_dvc", build)
    monkeypatch.setattr(mixes.graph, "nodes", lambda _: {"page": Stage("page", "cat", ("raw",), (), ("page.txt",))})
    monkeypatch.setattr(mixes.plan, "plan", lambda *_, **__: [])
    old, new = (Side(path, Path(), {}) for path in (tmp_path / "old", root))
    with contextlib.ExitStack() as cleanup:
        mixer = mixes.mixer(root, Revision("HEAD", git.head(root), {}), "page", old, new, cleanup)
        a, b = (mixer.mix(Input(name, "rows", (name,))) for name in ("raw/a.txt", "raw/b.txt"))

        assert mixer.build(a, None) and mixer.build(b, None)
        assert built == [["old a", "new b"], ["new a", "old b"]]
        mixer.mix(a.change)
        assert not (mixer.path / "page.txt").exists(), "nothing is left of another"
    assert (root / "raw/a.txt").read_text() == "new a", "the project is as it was"
