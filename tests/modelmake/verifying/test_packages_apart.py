"""A rebuild of an older commit says where the packages that it runs with are not those of that commit."""

import json
import subprocess
from pathlib import Path

from modelmake import git
from modelmake.verifying import rebuild


def commit(root: Path, torch: str) -> str:
    (root / "keys").mkdir(exist_ok=True)
    (root / ".python-version").write_text("3.11\n")
    (root / "uv.lock").write_text(f'[[package]]\nname = "torch"\nversion = "{torch}"\n')
    for name, packages in {"train": {"torch": torch}, "clean": {}}.items():
        (root / f"keys/{name}.json").write_text(json.dumps({"packages": packages}))
    for words in (["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", torch]):
        subprocess.run(["git", *words], cwd=root, check=True)
    return git.head(root)


def test_a_stage_whose_packages_changed_since_says_so(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    old, new = commit(tmp_path, "1"), commit(tmp_path, "2")

    words = f"run with the present packages, and those of {old[:10]} were others"
    assert rebuild.packages_apart(tmp_path, old, "train") == words
    assert rebuild.packages_apart(tmp_path, old, "clean") == ""
    assert rebuild.packages_apart(tmp_path, new, "train") == ""
