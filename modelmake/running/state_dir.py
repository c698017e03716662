"""Where what belongs to this machine and to no artifact lives: the run log, the tools' environments, parsed code."""

import configparser
from pathlib import Path

PARSED = "parsed"  # in the folder: modelmake.keys.symbols


def folder(root: Path) -> Path:
    """Inside the DVC cache, which the temporary workspaces of `dvc exp run --temp` and `--queue` share.

    The cache is where `.dvc/config.local`, else `.dvc/config`, says. Read here and not by DVC: every stage does this,
    and what a stage imports is in its key.
    """
    config = configparser.RawConfigParser(strict=False)
    config.read([root / ".dvc/config", root / ".dvc/config.local"], "utf-8")
    named = config.get("cache", "dir", fallback="cache").strip("'\"")
    return (root / ".dvc" / named).resolve() / "modelmake"
