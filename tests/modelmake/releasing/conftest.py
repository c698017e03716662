"""A team: a bare repository that all push to, a store, and clones of people, with builds that were never run."""

import dataclasses
import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from modelmake import artifacts, git
from modelmake.releasing import decisions, registry
from modelmake.releasing.tags import Artifact
from stages.commands.domain import DOMAIN

CONFIG = """[core]
    remote = store
    analytics = false
['remote "store"']
    url = {url}
    verify = true
"""
GRAPH = """stages:
  train:
    cmd: python train.py
    deps: [rows.txt]
    params: [train]
    outs: [models/m]
artifacts:
  model: {path: "models/${card.model}", type: model}
"""


def verdict(root: Path, commit: str, path: str) -> tuple[list[str], list[str]]:
    """The gates of these projects: a file that says whether the build may ship."""
    (content,) = git.contents(root, [f"{commit}:./gate.json"])
    found = json.loads(content or b"{}")
    return ([] if found.get("verdict") == "ALLOW" else [f"small: {found.get('verdict')}"]), []


def measured(root: Path, commit: str) -> dict[str, float]:
    (content,) = git.contents(root, [f"{commit}:./gate.json"])
    return {"exact_match": json.loads(content or b"{}").get("value", 0.0)}


JUDGED = dataclasses.replace(DOMAIN, gates=verdict, figures=measured)


class Clone:
    """The clone of a person."""

    def __init__(self, root: Path, store: Path) -> None:
        self.root, self.store = root, store

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def build(self, files: dict[str, bytes], verdict: str = "ALLOW", value: float = 0.9, push: bool = True) -> str:
        """A commit whose dvc.lock records a model of these files, which are on the store; returns its hash."""
        for name, content in files.items():
            (self.root / "models/m" / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / "models/m" / name).write_bytes(content)
        md5s = {name: self.stored(content) for name, content in files.items()}
        folder = self.stored(artifacts.listing(md5s), ".dir")
        rows = (self.root / "rows.txt").read_bytes()
        entry = {
            "cmd": "python train.py",
            "deps": [{"path": "rows.txt", "hash": "md5", "md5": hashlib.md5(rows).hexdigest(), "size": len(rows)}],
            "params": {"params.yaml": {"train": {"rate": 0.1}}},
            "outs": [{"path": "models/m", "hash": "md5", "md5": folder, "size": sum(map(len, files.values()))}],
        }
        self.lock({"train": entry})
        (self.root / "gate.json").write_text(json.dumps({"verdict": verdict, "value": value}))
        return self.commit(push)

    def lock(self, stages: dict[str, Any]) -> None:
        with (self.root / "dvc.lock").open("w") as file:
            YAML().dump({"schema": "2.0", "stages": stages}, file)

    def locked(self) -> dict[str, Any]:
        return YAML(typ="safe").load((self.root / "dvc.lock").read_text())["stages"]

    def commit(self, push: bool = True) -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", "built", "--allow-empty")
        if push:
            self.git("push", "-q", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    def stored(self, content: bytes, suffix: str = "") -> str:
        """Puts an object on the store; returns its name."""
        md5 = hashlib.md5(content).hexdigest() + suffix
        path = self.object(md5)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return md5

    def object(self, md5: str) -> Path:
        return self.store / "files/md5" / md5[:2] / md5[2:]

    def promote(self, version: str, stage: str = "prod") -> list[str]:
        return decisions.promote(self.root, JUDGED, version, stage)

    def rollback(self, stage: str = "prod") -> list[str]:
        return decisions.rollback(self.root, stage)

    def artifact(self, name: str = "model") -> Artifact:
        return registry.artifact(self.root, name)

    def tags(self) -> list[str]:
        return self.git("tag").split()


@dataclasses.dataclass
class Team:
    folder: Path
    url: Path  # of the bare repository
    ada: Clone

    def clone(self, name: str) -> Clone:
        """One more clone, of a person with this name."""
        root = self.folder / name
        subprocess.run(["git", "clone", "-q", str(self.url), str(root)], check=True)
        clone = Clone(root, self.ada.store)
        _identify(clone, name)
        return clone


def _identify(clone: Clone, name: str) -> None:
    clone.git("config", "user.name", name.capitalize())
    clone.git("config", "user.email", f"{name}@example.org")


def project(root: Path, store: Path, url: str = "../../store") -> Clone:
    """A project that is in no repository yet."""
    root.mkdir(parents=True)
    for name, content in {
        "dvc.yaml": GRAPH, "params.yaml": "card: {model: m}\ntrain: {rate: 0.1}\n", "rows.txt": "a\nb\n",
        ".dvc/config": CONFIG.format(url=url), ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
        ".gitignore": "/models\n",
    }.items():  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    clone = Clone(root, store)
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    return clone


def make_team(folder: Path, url: str = "../../store") -> Team:
    """A team without a build. `url`: of the store, in the configuration."""
    bare = folder / "project.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
    for name in ("uploadpack.allowFilter", "http.receivepack"):
        subprocess.run(["git", "config", name, "true"], cwd=bare, check=True)
    ada = project(folder / "ada", folder / "store", url)
    _identify(ada, "ada")
    ada.git("remote", "add", "origin", str(bare))
    ada.commit()
    return Team(folder, bare, ada)


def contents_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def _own_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's settings of git, and a state folder of DVC for each test."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return make_team(tmp_path)
