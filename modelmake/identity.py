"""The identity of a build of a stage: one hash of its inputs, the same from a run and from its record in dvc.lock."""

import hashlib
import json
import shlex
from typing import Any


def identity(cmd: list[str], deps: dict[str, str], params: dict[str, Any]) -> str:
    """16 hex digits, the hash of a command's words, inputs {path: MD5 as DVC names it} and parameters {section: value}.

    The key file is one of the inputs, so code and packages count too.
    """
    return hashlib.sha256(json.dumps([cmd, deps, params], sort_keys=True).encode()).hexdigest()[:16]


def of_lock(entry: dict[str, Any]) -> str:
    """The identity of a stage's entry in dvc.lock."""
    deps = {dep["path"]: dep.get("md5", "") for dep in entry.get("deps", [])}
    params = {name: value for file in entry.get("params", {}).values() for name, value in file.items()}
    return identity(shlex.split(entry["cmd"]), deps, params)
