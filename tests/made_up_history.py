"""A project with builds that never ran: real git commits, dvc.lock files and objects in a DVC cache."""

import argparse
import contextlib
import hashlib
import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
from ruamel.yaml import YAML

from modelmake import artifacts
from modelmake.errors import UserError
from modelmake.tracing import trace
from stages.commands.domain import DOMAIN

Line = tuple[Any, ...]
Row = dict[str, Any]


def parquet(columns: str, *lines: Line) -> bytes:
    """A table with these columns, a tuple for each line."""
    names = columns.split()
    buffer = io.BytesIO()
    arrays = [pyarrow.array([line[i] for line in lines]) for i in range(len(names))]
    pyarrow.parquet.write_table(pyarrow.table(arrays, names=names), buffer)
    return buffer.getvalue()


def jsonl(*lines: Any) -> bytes:
    return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)


def chat(id: str, question: str, answer: str) -> Row:
    """A canonical row."""
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"id": id, "content": {"kind": "chat", "messages": messages}}


class MadeUpProject:
    """The project. `stages` is the content of the next dvc.lock."""

    def __init__(self, root: Path) -> None:
        self.root, self.stages, self.timestamp = root, {}, 1_700_000_000
        root.mkdir(parents=True)
        (root / "dvc.yaml").touch()
        (root / ".gitignore").write_text(".dvc\n")
        self.git("init", "-qb", "main")

    def git(self, *arguments: str) -> str:
        who = {f"GIT_{r}_{k}": "t@t" for r in ("AUTHOR", "COMMITTER") for k in ("NAME", "EMAIL")}
        when = {f"GIT_{role}_DATE": f"{self.timestamp} +0000" for role in ("AUTHOR", "COMMITTER")}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | who | when
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def cached(self, md5: str) -> Path:
        """The path of an object in the cache."""
        return self.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]

    def store(self, content: bytes | dict[str, bytes]) -> str:
        """Puts a file, or a folder as {path: content}, into the cache; returns its MD5 as DVC names it."""
        if isinstance(content, bytes):
            md5 = hashlib.md5(content).hexdigest()
        else:
            files = {name: self.store(inner) for name, inner in sorted(content.items())}
            md5, content = artifacts.folder_md5(files), artifacts.listing(files)
        if not self.cached(md5).exists():
            self.cached(md5).parent.mkdir(parents=True, exist_ok=True)
            self.cached(md5).write_bytes(content)
        return md5

    def stage(
        self, name: str, deps: dict[str, str], outs: dict[str, bytes | dict[str, bytes]], params: Any = None
    ) -> dict[str, str]:
        """Puts a stage into the next dvc.lock; returns {output: MD5}."""
        hashes = {path: self.store(content) for path, content in outs.items()}
        entry: dict[str, Any] = {"cmd": f"python -m stages.{name.partition('@')[0]}"}
        entry["deps"] = [{"path": path, "hash": "md5", "md5": md5, "size": 1} for path, md5 in sorted(deps.items())]
        if params:
            entry["params"] = {"params.yaml": params}
        entry["outs"] = [{"path": path, "hash": "md5", "md5": md5, "size": 1} for path, md5 in sorted(hashes.items())]
        self.stages[name] = entry
        return hashes

    def write(self) -> None:
        """Writes dvc.lock, as a build does."""
        yaml = YAML()
        yaml.default_flow_style = False
        with (self.root / "dvc.lock").open("w") as file:
            yaml.dump({"schema": "2.0", "stages": self.stages}, file)

    def commit(self, subject: str) -> str:
        """Writes dvc.lock and commits everything; returns the hash of the commit."""
        self.write()
        self.timestamp += 60
        self.git("add", "-A")
        self.git("commit", "-qm", subject, "--allow-empty")
        return self.git("rev-parse", "HEAD")

    def trace(self, *arguments: str, here: Path | None = None) -> tuple[int, str]:
        """(exit code, output) of `modelmake trace`, run in the folder `here`."""
        parser = argparse.ArgumentParser()
        trace.arguments(parser)
        parsed = parser.parse_args(arguments, argparse.Namespace(here=here or self.root, domain=DOMAIN))
        output = io.StringIO()
        with contextlib.chdir(self.root), contextlib.redirect_stdout(output):
            try:
                return trace.run(parsed), output.getvalue()
            except UserError as error:
                return 1, f"{error}\n"

    def json(self, *arguments: str) -> dict[str, Any]:
        code, output = self.trace("--json", *arguments)
        assert code == 0, output
        return json.loads(output)
