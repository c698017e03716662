"""Path of the per-machine state folder: run log, finished work, tool environments, parse cache. None is an artifact."""

import configparser
import hashlib
from pathlib import Path

TOOL_ENVIRONMENTS = "envs"  # in the folder: virtual environments of isolated tools, named by their locks


def folder(root: Path) -> Path:
    """The folder `modelmake` in the DVC cache, which temporary workspaces of `dvc exp run` share.

    The cache is where `.dvc/config.local`, else `.dvc/config`, puts it. The configuration is read here and not by DVC:
    every stage reads it, and importing DVC would rerun every stage at each upgrade of DVC.
    """
    config = configparser.RawConfigParser(strict=False)
    config.read([root / ".dvc/config", root / ".dvc/config.local"], "utf-8")
    cache = config.get("cache", "dir", fallback="cache").strip("'\"")
    return (root / ".dvc" / cache).resolve() / "modelmake"


def tool_environment(root: Path, environment: Path) -> Path:
    """The virtual environment of a tool in `envs/`: its name has the hash of what it is built from."""
    built_from = b"".join((environment / file).read_bytes() for file in ("pyproject.toml", "uv.lock"))
    digest = hashlib.sha256(built_from).hexdigest()[:16]
    return folder(root) / TOOL_ENVIRONMENTS / f"{environment.name}-{digest}"
