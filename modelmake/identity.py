"""What a stage is built from, as one hash: the same for a run and for what dvc.lock records of it."""

import hashlib
import json
import shlex
from typing import Any


def identity(cmd: list[str], deps: dict[str, str], params: dict[str, Any]) -> str:
    """16 hex digits of a stage's command as words, its inputs {path: MD5 as DVC} and its parameters {section: value}.

    The key file is one of the inputs, so code and packages count too.
    """
    return hashlib.sha256(json.dumps([cmd, deps, params], sort_keys=True).encode()).hexdigest()[:16]


def of_lock(entry: dict[str, Any]) -> str:
    """The identity of what one of dvc.lock's `stages` says was built."""
    deps = {dep["path"]: dep.get("md5", "") for dep in entry.get("deps", [])}
    params = {name: value for file in entry.get("params", {}).values() for name, value in file.items()}
    return identity(shlex.split(entry["cmd"]), deps, params)
