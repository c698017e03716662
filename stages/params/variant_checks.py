"""Variants whose rows are no words, do not exist, or are not held out. Only preflight imports this module."""

import os
from pathlib import Path

from stages.params.cross_checks import TEST_FILES
from stages.params.evaluation import Evaluate
from stages.params.file_checks import NO_WORD

SPLITS = Path("data/splits")  # the folder that split writes
WRITTEN = ("ingested", "cleaned", "deduplicated", "augmented", "mixed", "calibration")  # others in data/


def problems(evaluate: Evaluate | None, raw: str | None) -> list[str]:
    """What is wrong, a line each.

    Args:
        raw: the folder or file that ingest reads; None if it is not known.
    """
    seen = [Path("data", name) for name in WRITTEN] + [_plain(raw)] * (raw is not None)
    found = []
    for name, entry in (evaluate.variants if evaluate else {}).items():
        path, where = _plain(entry.rows), f"evaluate.variants.{name}.rows = {entry.rows!r}"
        if not entry.rows or NO_WORD.search(entry.rows):
            found.append(f"{where}: want a path without spaces and signs that a shell reads")
        elif path.is_relative_to(SPLITS):
            if path.parent != SPLITS / "test" or path.stem not in TEST_FILES:
                found.append(f"{where}: want one of {', '.join(TEST_FILES)}, as data/splits/test/<rows>.jsonl")
        elif any(path.is_relative_to(folder) for folder in seen):
            found.append(f"{where}: want rows that are held out: models may be trained on these")
        elif not path.is_file():
            found.append(f"{where}: no such file; put chats there")
    return found


def _plain(path: str) -> Path:
    """The path from the project's folder, without `..`. Links are not followed: DVC may link data to its cache."""
    return Path(os.path.relpath(path or "."))
